import tseslint from 'typescript-eslint';

/** Folders of src/compiler in the order of the way through: each imports only from itself and what stands before it. */
const ORDER = ['bytes', 'isa', 'btf', 'targets', 'elf', 'core', 'load', 'verify', 'rewrite', 'jit', 'link'];

const NO_IO = {
  paths: [
    'fs',
    'fs/promises',
    'net',
    'http',
    'https',
    'child_process',
    'worker_threads',
    'os',
    'process',
    'dns',
    'tls',
  ].flatMap((name) => [
    { name, message: 'compiler/ does no I/O' },
    { name: `node:${name}`, message: 'compiler/ does no I/O' },
  ]),
};

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.tap/', 'data/', '**/generated/'] },
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off', // typed arrays under noUncheckedIndexedAccess
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    files: ['src/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...['Literal[value=/RELEASE/]', 'TemplateElement[value.raw=/RELEASE/]'].map((selector) => ({
          selector: selector.replace('RELEASE', '(linux-|\\bv?)[4-9]\\.[0-9]{1,2}\\b'),
          message: 'what differs between kernels is data in targets/, and no code names a release',
        })),
      ],
    },
  },
  { files: ['src/cli/**', 'bench/**', 'tools/**', 'test/**'], rules: { 'no-console': 'off' } },
  {
    files: ['src/compiler/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { ...NO_IO, patterns: [{ group: ['**/service/**', '**/cli/**'], message: 'compiler/ knows no service' }] },
      ],
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval', 'fetch', 'performance', 'Date'],
    },
  },
  ...ORDER.map((folder, i) => ({
    files: [`src/compiler/${folder}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          ...NO_IO,
          patterns: [
            {
              group: ['**/service/**', '**/cli/**', '**/compile.js'],
              message: 'compiler/ folders know nothing above them',
            },
            ...ORDER.slice(i + 1).map((later) => ({
              group: [`**/${later}/**`],
              message: `${folder}/ stands before ${later}/ in the way through`,
            })),
          ],
        },
      ],
    },
  })),
  {
    // Runs in browsers as well, and is all that its users install.
    files: ['src/client/**'],
    rules: {
      'no-restricted-imports': ['error', { patterns: [{ regex: '^(?!\\./)', message: 'client/ stands alone' }] }],
      'no-restricted-globals': ['error', 'process', 'Buffer', 'global', 'require'],
    },
  },
  {
    files: ['src/service/**', 'src/cli/**', 'src/main.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex:
                '/compiler/(?!compile\\.js$|kernel-btf\\.js$|link/object/object\\.js$|jit/architectures?\\.js$|link/machine-code\\.js$|targets/|outcome\\.js$)',
              message: 'the shell sees only compile.ts, its types and the targets',
            },
          ],
        },
      ],
    },
  },
);
