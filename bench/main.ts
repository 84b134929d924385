/** npm run bench: the service beside a bare Fastify route, and cold compilations. Everything in one run, on this machine. */
import { benchCodegen } from './codegen.js';
import { benchLoader } from './loader.js';
import { serviceBench } from './service.js';
import { benchTargets } from './targets.js';
import { benchVerifier } from './verifier.js';

console.log('bpf-jitd benchmarks: requests and compilations per second, higher is better\n');
await benchTargets();
benchCodegen();
await benchLoader();
benchVerifier();
await serviceBench();
