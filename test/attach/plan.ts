/** Which program is attached to which: loaded in this order, each staying loaded. */
export interface Load {
  readonly object: string;
  readonly program: string;
  /** A program that an earlier line loads, or null. */
  readonly target: string | null;
  /** Its function where the section names none. */
  readonly function: string | null;
}

const TARGETS = 'xdp_main xdp_grows xdp_untyped ingress tc_main tracepoint throws traces jumping';

/** By target: the programs of attached.c, `:` in front of the function where their sections do not name it. */
const ATTACHED: Readonly<Record<string, string>> = {
  xdp_main:
    'replaced uses_stack with_functions whole two_arguments numbers helper_refused jumps_on more_arguments no_result ' +
    'pointer_result other_kind other_size other_struct pointer_to_int not_context of_static of_dead of_missing ' +
    'of_nothing of_nothing:check of_missing:classify changes_packet enters leaves leaves_numbers enters_static ' +
    'enters_memory modifies sleeps beyond returns_one enters_dead',
  xdp_grows: 'changes_packet_too',
  xdp_untyped: 'of_untyped leaves_untyped beyond_untyped enters_untyped',
  ingress: 'in_range out_of_range not_writable',
  tc_main: 'any_result enters_main',
  tracepoint: 'of_tracepoint',
  throws: 'of_callback leaves_callback',
  traces: 'of_fentry of_function_of_fentry enters_fentry',
  jumping: 'of_jumper',
  replaced: 'of_extension enters_extension',
  enters_fentry: 'enters_twice',
};

const targets = TARGETS.split(' ').map((program) => ({ object: 'targets.o', program, target: null, function: null }));
const attached = Object.entries(ATTACHED).flatMap(([target, programs]) =>
  programs.split(' ').map((entry) => {
    const [program = '', fn = null] = entry.split(':');
    return { object: 'attached.o', program, target, function: fn };
  }),
);

export const LOADS: readonly Load[] = [...targets, ...attached];

/** What one line of the plan is called. */
export function idOf({ program, function: fn }: Load): string {
  return fn === null ? program : `${program}:${fn}`;
}
