"""What any poll is compared with: Flask, one word, nothing else."""

from flask import Flask

from portal.buffer import Buffered

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    return "Hello, World!"


# On the same server as the portal: only the application differs.
buffered = Buffered(app)
