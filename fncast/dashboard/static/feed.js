// Receives the stream of changes, and notices when it stops.

// The server writes several times per second. After this long without a message, the connection is broken.
const SILENCE_MS = 5000;
// The first message is the whole state. A slow connection needs longer for it, and must not begin again and again.
const FIRST_MESSAGE_MS = 30000;
const RETRY_MS = 1000;

export class Feed {
  constructor(url, { onSnapshot, onChanges, onLost }) {
    this.url = url;
    this.handlers = { onSnapshot, onChanges, onLost };
    this.open();
    setInterval(() => this.check(), 1000);
  }

  open() {
    this.received = Date.now();
    this.hasState = false;
    this.source?.close();
    this.source = new EventSource(this.url);
    this.source.addEventListener("snapshot", (event) => this.receive(event, this.handlers.onSnapshot));
    this.source.addEventListener("changes", (event) => this.receive(event, this.handlers.onChanges));
    this.source.onerror = () => {
      this.handlers.onLost();
      // EventSource retries by itself, except after an HTTP error (a proxy's 502, too many pages).
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), RETRY_MS);
    };
  }

  receive(event, handler) {
    this.received = Date.now();
    this.hasState = true;
    handler(JSON.parse(event.data));
  }

  check() {
    const silence = Date.now() - this.received;
    if (silence < SILENCE_MS) return;
    this.handlers.onLost();
    if (this.hasState || silence >= FIRST_MESSAGE_MS) this.open();
  }
}
