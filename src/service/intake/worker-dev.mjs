// The worker's entry where sources run unbuilt: tsx does not reach into worker threads by itself on Node 20.
import { register } from 'tsx/esm/api';

register();
const worker = await import('./worker.ts');
export default worker.default;
