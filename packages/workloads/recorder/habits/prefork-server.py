"""Four workers accept on one socket of the loopback interface; a client in a process of its own sends 200 requests."""
import os
import socket

CACHE = {n: str(n) * 50 for n in range(20000)}
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)


def worker():
    for _ in range(50):
        connection, _ = listener.accept()
        key = int(connection.recv(64))
        CACHE[key] = CACHE[key][::-1] + str(key)
        connection.sendall("".join(CACHE[(key + i) % 20000] for i in range(200)).encode())
        connection.close()


def client():
    for n in range(200):
        with socket.create_connection(listener.getsockname()) as connection:
            connection.sendall(str(n * 97 % 20000).encode())
            while connection.recv(65536):
                pass


children = []
for task in [worker] * 4 + [client]:
    pid = os.fork()
    if pid == 0:
        task()
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
