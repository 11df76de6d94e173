using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace IfBus.Sip.Tests.Support;

/// <summary>A program on a pseudo terminal, as somebody at a keyboard has it: Ctrl+C is a key there. script of util-linux makes the terminal.</summary>
internal sealed class Terminal : IDisposable
{
    private const string Script = "/usr/bin/script";
    // script --return gives 0 when the terminal hangs up before the program can be waited for (util-linux 2.38): the shell is asked instead.
    private const string LeftWith = "left with ";
    private readonly StringBuilder _shown = new();
    private readonly Process _process;
    private readonly Task _reading;

    public Terminal(string command)
    {
        var start = new ProcessStartInfo(Script, ["--quiet", "--command", $"trap : INT; {command}; echo {LeftWith}$?", "/dev/null"]) { RedirectStandardOutput = true, RedirectStandardInput = true };
        // Without colours and without sequences that move the cursor: what is shown is what is read.
        start.Environment["TERM"] = "dumb";
        start.Environment["NO_COLOR"] = "1";
        _process = Process.Start(start)!;
        _reading = ReadAsync();
    }

    /// <summary>Why there is none on this machine; null if there is.</summary>
    public static string? Missing => OperatingSystem.IsLinux() && File.Exists(Script) ? null : "script of util-linux, which makes a pseudo terminal, is not on this machine";

    /// <summary>What was shown so far, with what was typed.</summary>
    public string Shown
    {
        get
        {
            lock (_shown) return _shown.ToString();
        }
    }

    /// <summary>Types; a line ends with \n, and \x03 is Ctrl+C.</summary>
    public async Task TypeAsync(string keys)
    {
        await _process.StandardInput.WriteAsync(keys);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Types, and waits until all of these were shown after it, in this order; returns how long that took.</summary>
    public async Task<TimeSpan> TypeAsync(string keys, params string[] expected)
    {
        int from = Shown.Length;
        long begin = Stopwatch.GetTimestamp();
        await TypeAsync(keys);
        await Until.TrueAsync(() => After(from, expected) || _reading.IsCompleted, string.Join(", ", expected));
        TimeSpan taken = Stopwatch.GetElapsedTime(begin);
        Assert.True(After(from, expected), $"{string.Join(", ", expected)} in: {Shown[from..]}");
        return taken;
    }

    /// <summary>The exit code of the program, once it has ended.</summary>
    public async Task<int> EndAsync()
    {
        await Task.WhenAll(_process.WaitForExitAsync(), _reading).WaitAsync(TimeSpan.FromSeconds(60));
        string shown = Shown;
        int at = shown.LastIndexOf(LeftWith, StringComparison.Ordinal);
        Assert.True(at >= 0, $"no exit code in: {shown}");
        return int.Parse(shown.AsSpan(at + LeftWith.Length), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private bool After(int from, string[] expected)
    {
        string shown = Shown;
        foreach (string text in expected)
        {
            int at = shown.IndexOf(text, from, StringComparison.Ordinal);
            if (at < 0) return false;
            from = at + text.Length;
        }

        return true;
    }

    private async Task ReadAsync()
    {
        char[] buffer = new char[4096];
        while (await _process.StandardOutput.ReadAsync(buffer) is > 0 and int count)
        {
            lock (_shown) _shown.Append(buffer, 0, count);
        }
    }
}

/// <summary>A test on a pseudo terminal, where one can be had.</summary>
public sealed class TerminalFactAttribute : FactAttribute
{
    public TerminalFactAttribute() => Skip = Terminal.Missing;
}
