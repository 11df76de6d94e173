using System.Management.Automation;
using System.Management.Automation.Language;
using System.Management.Automation.Runspaces;
using System.Text;

namespace IfBus.Sip.Shell;

/// <summary>A prompt, a script, or a command, in a runspace of the PowerShell engine with the module loaded.</summary>
internal sealed class ShellProgram : IDisposable
{
    private const string Usage = "IfBus.Sip.Shell [script.ps1 [arguments]] | -Command <text> | -Version | -Help";

    private readonly ShellHost _host = new();
    private readonly Runspace _runspace;
    private readonly object _gate = new();
    private PowerShell? _running;

    private ShellProgram()
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        _runspace = RunspaceFactory.CreateRunspace(_host, state);
        _runspace.ThreadOptions = PSThreadOptions.ReuseThread;
        _runspace.Open();
        _runspace.SessionStateProxy.InvokeCommand.CommandNotFoundAction = MissingCommands.Explain;
    }

    /// <summary>Runs what the arguments say; returns the exit code.</summary>
    public static int Run(string[] args)
    {
        if (args is ["-Help" or "--help" or "-h" or "-?"])
        {
            Console.WriteLine(Usage);
            return 0;
        }

        if (args is ["-Version" or "--version"])
        {
            Console.WriteLine($"IfBus.Sip.Shell {typeof(ShellProgram).Assembly.GetName().Version?.ToString(3)}, PowerShell engine {typeof(PSObject).Assembly.GetName().Version?.ToString(3)}");
            return 0;
        }

        if (args is ["-Command"] || (args.Length > 0 && args[0].StartsWith('-') && args[0] != "-Command"))
        {
            Console.Error.WriteLine(Usage);
            return 64;
        }

        using var program = new ShellProgram();
        Console.CancelKeyPress += (_, e) =>
        {
            // The running pipeline ends, not the shell.
            e.Cancel = true;
            program.StopRunning();
        };
        if (!program.ImportModule()) return 1;
        if (args.Length == 0) return program.Prompt();
        if (args[0] == "-Command") return program.Execute(s => s.AddScript(string.Join(' ', args[1..])));
        string script = Path.GetFullPath(args[0]);
        if (!File.Exists(script))
        {
            Console.Error.WriteLine($"There is no script '{script}'.");
            return 64;
        }

        int code = program.Execute(s =>
        {
            s.AddCommand(script);
            AddArguments(s, args[1..]);
        });
        // The exit of a script file ends the script only, and leaves its code here.
        return code == 0 && program._runspace.SessionStateProxy.GetVariable("LASTEXITCODE") is int left ? left : code;
    }

    public void Dispose() => _runspace.Dispose();

    private bool ImportModule()
    {
        string? manifest = FindModule();
        if (manifest is null)
        {
            Console.Error.WriteLine("The module is not built: run dotnet build in the repository.");
            return false;
        }

        return Execute(s => s.AddCommand("Import-Module").AddParameter("Name", manifest).AddParameter("ErrorAction", "Stop")) == 0;
    }

    private static string? FindModule()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string staged = Path.Combine(folder.FullName, "out", "IfBus.Sip");
            if (!File.Exists(Path.Combine(folder.FullName, "IfBus.Sip.sln")) || !Directory.Exists(staged)) continue;
            return Directory.GetDirectories(staged).OrderBy(d => Version.TryParse(Path.GetFileName(d), out Version? v) ? v : new Version()).Select(d => Path.Combine(d, "IfBus.Sip.psd1")).LastOrDefault(File.Exists);
        }

        return null;
    }

    private int Prompt()
    {
        if (!Console.IsInputRedirected) Console.WriteLine("IfBus.Sip shell. Start-SipSimulator Asterisk | Connect-SipServer gives something to play with; exit leaves.");
        while (_host.ExitCode is null)
        {
            string? text = ReadStatement();
            if (text is null) break;
            if (text.Trim().Length > 0) Execute(s => s.AddScript(text));
        }

        return _host.ExitCode ?? 0;
    }

    // A statement may go over several lines: as long as the parser says that it is not complete, more is read.
    private static string? ReadStatement()
    {
        var text = new StringBuilder();
        while (true)
        {
            if (!Console.IsInputRedirected) Console.Write(text.Length == 0 ? "SIP> " : ">> ");
            string? line = Console.ReadLine();
            if (line is null) return text.Length == 0 ? null : text.ToString();
            text.AppendLine(line);
            Parser.ParseInput(text.ToString(), out _, out ParseError[] errors);
            if (line.Length == 0 || !errors.Any(e => e.IncompleteInput)) return text.ToString();
        }
    }

    private int Execute(Action<PowerShell> build)
    {
        using var shell = PowerShell.Create(_runspace);
        build(shell);
        // Formats and writes, errors too, in the order in which they come.
        shell.Commands.Commands[^1].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
        shell.AddCommand("Out-Default");
        lock (_gate) _running = shell;
        try
        {
            shell.Invoke();
            return _host.ExitCode ?? 0;
        }
        catch (PipelineStoppedException)
        {
            return 130;
        }
        catch (RuntimeException e)
        {
            _host.UI.WriteErrorLine($"{e.ErrorRecord.InvocationInfo?.InvocationName}{(string.IsNullOrEmpty(e.ErrorRecord.InvocationInfo?.InvocationName) ? "" : ": ")}{e.ErrorRecord}");
            if (e.ErrorRecord.ErrorDetails?.RecommendedAction is { Length: > 0 } action) _host.UI.WriteErrorLine("  " + action);
            if (e.ErrorRecord.InvocationInfo?.PositionMessage is { Length: > 0 } position) _host.UI.WriteErrorLine(position);
            return 1;
        }
        finally
        {
            lock (_gate) _running = null;
        }
    }

    private static void AddArguments(PowerShell shell, string[] arguments)
    {
        for (int i = 0; i < arguments.Length; i++)
        {
            string argument = arguments[i];
            if (argument.Length < 2 || argument[0] != '-' || !char.IsLetter(argument[1])) shell.AddArgument(argument);
            else if (i + 1 < arguments.Length && !arguments[i + 1].StartsWith('-')) shell.AddParameter(argument[1..], arguments[++i]);
            else shell.AddParameter(argument[1..], true);
        }
    }

    private void StopRunning()
    {
        lock (_gate) _running?.BeginStop(null, null);
    }
}
