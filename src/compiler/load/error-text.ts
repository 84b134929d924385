/** What user space calls an errno, where libbpf's messages have it in words. */
const TEXTS: ReadonlyMap<number, string> = new Map([
  [-1, 'Operation not permitted'],
  [-2, 'No such file or directory'],
  [-3, 'No such process'],
  [-7, 'Argument list too long'],
  [-9, 'Bad file descriptor'],
  [-12, 'Cannot allocate memory'],
  [-13, 'Permission denied'],
  [-14, 'Bad address'],
  [-22, 'Invalid argument'],
  [-34, 'Numerical result out of range'],
  [-40, 'Too many levels of symbolic links'],
  [-95, 'Operation not supported'],
]);

export function errorText(errno: number): string {
  return TEXTS.get(errno) ?? `Unknown error ${-errno}`;
}
