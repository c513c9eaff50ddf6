"""A pool of three forked workers builds and drops lists, while a thread of the parent fills a queue."""
import gc
import multiprocessing
import threading


def work(n):
    data = [[i * n for i in range(200)] for _ in range(100)]
    total = sum(map(sum, data))
    del data
    gc.collect()
    return total


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    shared = {i: list(range(20)) for i in range(2000)}
    filler = threading.Thread(target=lambda: shared.update({-i: [i] for i in range(2000)}))
    filler.start()
    with multiprocessing.Pool(3) as pool:
        pool.map(work, range(60))
    filler.join()
