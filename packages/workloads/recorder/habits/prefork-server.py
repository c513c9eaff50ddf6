"""Eight workers accept on one socket of the loopback interface; two clients in processes of their own send 1600 requests."""
import os
import socket

WORKERS, CLIENTS, REQUESTS, KEYS = 8, 2, 1600, 20000
CACHE = {n: str(n) * 50 for n in range(KEYS)}
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)


def worker(_):
    for _ in range(REQUESTS // WORKERS):
        connection, _ = listener.accept()
        key = int(connection.recv(64))
        CACHE[key] = CACHE[key][::-1] + str(key)
        connection.sendall("".join(CACHE[(key + i) % KEYS] for i in range(200)).encode())
        connection.close()


def client(first):
    for n in range(first, REQUESTS, CLIENTS):
        with socket.create_connection(listener.getsockname()) as connection:
            connection.sendall(str(n * 97 % KEYS).encode())
            while connection.recv(65536):
                pass


children = []
for task, argument in [(worker, n) for n in range(WORKERS)] + [(client, n) for n in range(CLIENTS)]:
    pid = os.fork()
    if pid == 0:
        task(argument)
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
