using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace IfBus.Sip.Shell;

/// <summary>The console as a PowerShell host.</summary>
internal sealed class ShellHost : PSHost
{
    private readonly ShellUi _ui = new();

    public override string Name => "IfBus.Sip.Shell";

    public override Version Version { get; } = typeof(ShellHost).Assembly.GetName().Version ?? new Version(0, 0);

    public override Guid InstanceId { get; } = Guid.NewGuid();

    public override PSHostUserInterface UI => _ui;

    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    /// <summary>Set once somebody has said exit.</summary>
    public int? ExitCode { get; private set; }

    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;

    public override void EnterNestedPrompt() => throw new NotSupportedException("This shell has no nested prompts.");

    public override void ExitNestedPrompt() => throw new NotSupportedException("This shell has no nested prompts.");

    public override void NotifyBeginApplication()
    {
    }

    public override void NotifyEndApplication()
    {
    }
}

/// <summary>Writes to and asks at the console. Colours only on a terminal, and not where NO_COLOR is set.</summary>
internal sealed class ShellUi : PSHostUserInterface
{
    private static readonly bool Colours = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
    private readonly RawUi _raw = new();
    private string _progress = "";

    public override PSHostRawUserInterface RawUI => _raw;

    public override void Write(string value)
    {
        ClearProgress();
        Console.Out.Write(Plain(value));
    }

    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => Write(value);

    public override void WriteLine(string value) => Write(value + Environment.NewLine);

    public override void WriteErrorLine(string value)
    {
        ClearProgress();
        Console.Error.WriteLine(Colours ? $"\e[31m{value}\e[0m" : Plain(value));
    }

    public override void WriteWarningLine(string message) => Marked("WARNING: ", message);

    public override void WriteVerboseLine(string message) => Marked("VERBOSE: ", message);

    public override void WriteDebugLine(string message) => Marked("DEBUG: ", message);

    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
        if (Console.IsOutputRedirected) return;
        ClearProgress();
        if (record.RecordType == ProgressRecordType.Completed) return;
        _progress = $"{record.Activity}: {record.StatusDescription}{(record.PercentComplete >= 0 ? $" ({record.PercentComplete} %)" : "")}";
        Console.Out.Write(_progress);
    }

    public override string ReadLine()
    {
        ClearProgress();
        return Console.ReadLine() ?? throw new PipelineStoppedException();
    }

    public override SecureString ReadLineAsSecureString()
    {
        var secret = new SecureString();
        if (Console.IsInputRedirected) throw NotInteractive("a secret");
        while (true)
        {
            ConsoleKeyInfo key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter) break;
            if (key.Key == ConsoleKey.Backspace && secret.Length > 0) secret.RemoveAt(secret.Length - 1);
            else if (!char.IsControl(key.KeyChar)) secret.AppendChar(key.KeyChar);
        }

        Console.WriteLine();
        secret.MakeReadOnly();
        return secret;
    }

    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions)
    {
        if (Console.IsInputRedirected) throw NotInteractive(string.Join(", ", descriptions.Select(d => d.Name)));
        Head(caption, message);
        var answers = new Dictionary<string, PSObject>();
        foreach (FieldDescription field in descriptions)
        {
            Console.Write($"{field.Name}: ");
            answers[field.Name] = field.ParameterTypeFullName == typeof(SecureString).FullName ? PSObject.AsPSObject(ReadLineAsSecureString()) : PSObject.AsPSObject(ReadLine());
        }

        return answers;
    }

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName)
    {
        if (Console.IsInputRedirected) throw NotInteractive("a credential");
        Head(caption, message);
        if (string.IsNullOrEmpty(userName))
        {
            Console.Write("User: ");
            userName = ReadLine();
        }

        Console.Write($"Secret of {userName}: ");
        return new PSCredential(userName, ReadLineAsSecureString());
    }

    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) =>
        PromptForCredential(caption, message, userName, targetName);

    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice)
    {
        if (Console.IsInputRedirected) throw NotInteractive("a confirmation; use -Confirm:$false or -Force");
        Head(caption, message);
        string[] keys = [.. choices.Select(c => c.Label.IndexOf('&', StringComparison.Ordinal) is >= 0 and int at && at + 1 < c.Label.Length ? c.Label[at + 1].ToString() : c.Label)];
        while (true)
        {
            Console.Write(string.Join("  ", choices.Select((c, i) => $"[{keys[i]}] {c.Label.Replace("&", "", StringComparison.Ordinal)}")) + (defaultChoice >= 0 ? $" (default {keys[defaultChoice]}): " : ": "));
            string answer = ReadLine().Trim();
            if (answer.Length == 0 && defaultChoice >= 0) return defaultChoice;
            int chosen = Array.FindIndex(keys, k => k.Equals(answer, StringComparison.OrdinalIgnoreCase));
            if (chosen < 0) chosen = choices.ToList().FindIndex(c => c.Label.Replace("&", "", StringComparison.Ordinal).Equals(answer, StringComparison.OrdinalIgnoreCase));
            if (chosen >= 0) return chosen;
        }
    }

    private static InvalidOperationException NotInteractive(string what) => new($"Nobody can be asked for {what}: input is redirected.");

    // Decorations of the engine's formatter are of no use in a file.
    private static string Plain(string text) => Colours ? text : System.Text.RegularExpressions.Regex.Replace(text, "\e\\[[0-9;]*m", "");

    private static void Head(string caption, string message)
    {
        if (!string.IsNullOrEmpty(caption)) Console.WriteLine(caption);
        if (!string.IsNullOrEmpty(message)) Console.WriteLine(message);
    }

    private void Marked(string mark, string message)
    {
        ClearProgress();
        Console.Out.WriteLine(Colours ? $"\e[33m{mark}{message}\e[0m" : mark + Plain(message));
    }

    private void ClearProgress()
    {
        if (_progress.Length == 0) return;
        Console.Out.Write("\r" + new string(' ', _progress.Length) + "\r");
        _progress = "";
    }
}

/// <summary>The sizes that the formatter asks for; everything else a console of this kind does not have.</summary>
internal sealed class RawUi : PSHostRawUserInterface
{
    private static int Width => Console.IsOutputRedirected || Console.WindowWidth <= 0 ? 120 : Console.WindowWidth;

    public override ConsoleColor BackgroundColor { get; set; } = ConsoleColor.Black;

    public override ConsoleColor ForegroundColor { get; set; } = ConsoleColor.Gray;

    public override Size BufferSize { get => new(Width, 3000); set => throw new NotSupportedException(); }

    public override Coordinates CursorPosition { get; set; }

    public override int CursorSize { get; set; } = 25;

    public override bool KeyAvailable => false;

    public override Size MaxPhysicalWindowSize => new(Width, 100);

    public override Size MaxWindowSize => new(Width, 100);

    public override Coordinates WindowPosition { get; set; }

    public override Size WindowSize { get => new(Width, 50); set => throw new NotSupportedException(); }

    public override string WindowTitle { get; set; } = "IfBus.Sip";

    public override void FlushInputBuffer()
    {
    }

    public override BufferCell[,] GetBufferContents(Rectangle rectangle) => throw new NotSupportedException();

    public override KeyInfo ReadKey(ReadKeyOptions options) => throw new NotSupportedException();

    public override void ScrollBufferContents(Rectangle source, Coordinates destination, Rectangle clip, BufferCell fill) => throw new NotSupportedException();

    public override void SetBufferContents(Coordinates origin, BufferCell[,] contents) => throw new NotSupportedException();

    public override void SetBufferContents(Rectangle rectangle, BufferCell fill) => throw new NotSupportedException();
}
