// The stream of changes, and whether it flows.

// The server writes several times a second; so long without a word, it is gone whatever the connection says.
const SILENCE_MS = 5000;
const RETRY_MS = 1000;

export class Feed {
  constructor(url, { onSnapshot, onChanges, onLost }) {
    this.url = url;
    this.handlers = { onSnapshot, onChanges, onLost };
    this.open();
    setInterval(() => this.check(), 1000);
  }

  open() {
    this.heard = Date.now();
    this.source?.close();
    this.source = new EventSource(this.url);
    this.source.addEventListener("snapshot", (event) => this.hear(event, this.handlers.onSnapshot));
    this.source.addEventListener("changes", (event) => this.hear(event, this.handlers.onChanges));
    this.source.onerror = () => {
      this.handlers.onLost();
      // EventSource tries again by itself, unless the answer was no stream (a proxy's 502, too many pages).
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), RETRY_MS);
    };
  }

  hear(event, handler) {
    this.heard = Date.now();
    handler(JSON.parse(event.data));
  }

  check() {
    if (Date.now() - this.heard < SILENCE_MS) return;
    this.handlers.onLost();
    this.open();
  }
}
