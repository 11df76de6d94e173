using System.Management.Automation;
using System.Management.Automation.Runspaces;

// The PowerShell engine and nothing else: a script finds the process as it is before anybody has imported the module.
using Runspace runspace = RunspaceFactory.CreateRunspace(InitialSessionState.CreateDefault2());
runspace.Open();
using var shell = PowerShell.Create(runspace);
shell.AddScript(args[0]);
try
{
    foreach (PSObject item in shell.Invoke()) Console.WriteLine(item);
}
catch (RuntimeException e)
{
    Console.Error.WriteLine(e.ErrorRecord);
    return 1;
}

foreach (ErrorRecord error in shell.Streams.Error) Console.Error.WriteLine(error);
return shell.HadErrors ? 1 : 0;
