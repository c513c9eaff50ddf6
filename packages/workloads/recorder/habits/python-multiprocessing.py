"""Pools of three forked workers build and drop lists, while a thread of the parent changes what they share."""
import gc
import multiprocessing
import threading


def work(n):
    data = [[i * n for i in range(200)] for _ in range(150)]
    total = sum(map(sum, data))
    del data
    gc.collect()
    return total


if __name__ == "__main__":
    multiprocessing.set_start_method("fork")
    shared = {i: list(range(20)) for i in range(4000)}
    for first in range(3):
        filler = threading.Thread(target=lambda: shared.update({-i: [i, first] for i in range(4000)}))
        filler.start()
        with multiprocessing.Pool(3) as pool:
            pool.map(work, range(90))
        filler.join()
