using IfBus.Sip.Shell;

return ShellProgram.Run(args);
