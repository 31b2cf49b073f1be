/** Milliseconds that this process has computed since it began: unlike the clock, they do not pass while others compute. */
export const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
