/** npm run bench: the compiler's parts, the service beside a bare Fastify route, misses and jobs. Everything in one run, on this machine. */
import { benchCodegen } from './codegen.js';
import { benchJobs } from './jobs.js';
import { benchLoader } from './loader.js';
import { benchMisses } from './misses.js';
import { serviceBench } from './service.js';
import { benchTargets } from './targets.js';
import { benchVerifier } from './verifier.js';

console.log('bpf-jitd benchmarks: requests and compilations per second, higher is better\n');
await benchTargets();
benchCodegen();
await benchLoader();
benchVerifier();
await serviceBench();
await benchMisses();
await benchJobs();
