/** A CompileResponse as the text form reads it: canonical JSON, whichever way it came. */
export interface AnswerJson {
  readonly digest?: string;
  readonly programs?: readonly ProgramJson[];
  readonly failure?: FailureJson;
  readonly target?: {
    readonly name?: string;
    readonly release?: string;
    readonly verified?: string;
    readonly architecture?: string;
  };
}
export interface ProgramJson {
  readonly name?: string;
  readonly section?: string;
  readonly type?: string | number;
  readonly accepted: boolean;
  readonly errno: number;
  readonly failure?: FailureJson;
  readonly log?: string;
  readonly stats?: StatsJson;
  readonly translated?: string;
  readonly functions?: readonly FunctionJson[];
  readonly relocations?: readonly RelocationJson[];
}
export interface StatsJson {
  readonly processedInstructions?: number;
  readonly maxStatesPerInstruction?: number;
  readonly totalStates?: number;
  readonly peakStates?: number;
  readonly markRead?: number;
  readonly stackDepths?: readonly number[];
}
export interface FailureJson {
  readonly stage?: string;
  readonly code?: string;
  readonly message?: string;
  readonly errno?: number;
  readonly instruction?: number;
  readonly section?: string;
  readonly symbol?: string;
  readonly offset?: string;
  readonly source?: string;
}
export interface FunctionJson {
  readonly name?: string;
  readonly address?: string;
  readonly code?: string;
  readonly exceptionTable?: readonly {
    readonly offset?: number;
    readonly resume?: number;
    readonly registerName?: string;
  }[];
  readonly lines?: readonly LineJson[];
  readonly instructions?: readonly { readonly offset?: number; readonly slot?: number; readonly text?: string }[];
}
export interface LineJson {
  readonly offset?: number;
  readonly instruction?: number;
  readonly file?: string;
  readonly line?: number;
  readonly text?: string;
}
export interface RelocationJson {
  readonly function?: number;
  readonly offset?: number;
  readonly type?: string;
  readonly kind?: string;
  readonly symbol?: string;
  readonly index?: number;
}
