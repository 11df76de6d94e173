using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using IfBus.Sip.Tests.Support;
using Xunit.Abstractions;

namespace IfBus.Sip.Live.Tests;

/// <summary>1000 calls out of one file into another, in a real pwsh of its own and on a real server: all rows arrive, in little memory.</summary>
public sealed class ManyCallsInPwsh(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ifbus-many").FullName;

    [PwshFact(Server.Asterisk)]
    public async Task Asterisk() =>
        await RunAsync($"-Port {LiveServer.Port} -Type Asterisk -Context ifbus", LiveServer.Contract.User, LiveServer.Contract.Secret, "PJSIP/sipp-answer", "cause17");

    [PwshFact(Server.FreeSwitch)]
    public async Task FreeSwitch() =>
        await RunAsync($"-Port {LiveFreeSwitch.Contract.Port} -Type FreeSwitch", LiveFreeSwitch.Contract.User, LiveFreeSwitch.Contract.Secret, "sofia/gateway/answer/1", "1003");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task RunAsync(string server, string user, string secret, string from, string to)
    {
        string into = Path.Combine(_folder, "out.csv"), outOf = Path.Combine(_folder, "in.csv"), script = Path.Combine(_folder, "many.ps1");
        await File.WriteAllTextAsync(outOf, "From,To\n" + string.Concat(Enumerable.Repeat($"{from},{to}\n", 1000)));
        await File.WriteAllTextAsync(script, $$"""
            Import-Module '{{Repository.StagedModule}}'
            Connect-SipServer 127.0.0.1 {{server}} -Credential ([pscredential]::new('{{user}}', (ConvertTo-SecureString '{{secret}}' -AsPlainText))) | Out-Null
            Import-Csv '{{outOf}}' | New-SipCall -ThrottleLimit 50 | Wait-SipCall -State Terminated | Export-Csv '{{into}}'
            [System.Diagnostics.Process]::GetCurrentProcess().PeakWorkingSet64
            """);
        long began = Stopwatch.GetTimestamp();
        var start = new ProcessStartInfo("pwsh", ["-NoProfile", "-NonInteractive", "-File", script]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using Process process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        Task<string> said = process.StandardOutput.ReadToEndAsync(limit.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.WaitForExitAsync(limit.Token);
        Assert.Equal("", await errors);
        string[] rows = [.. File.ReadLines(into).Skip(1)];
        double megabytes = long.Parse((await said).Trim(), CultureInfo.InvariantCulture) / 1048576.0;
        output.WriteLine($"{rows.Length} rows in {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s with the start of pwsh, peak working set {megabytes:0} MB");
        Assert.Equal(1000, rows.Length);
        // Each is a call of its own, and was refused as the number is.
        string[] names = Cells(File.ReadLines(into).First());
        string[] Column(string name) => [.. rows.Select(row => Cells(row)[Array.IndexOf(names, name)])];
        // What has no value has no quotes either.
        static string[] Cells(string row) => [.. Regex.Matches(row, "(?<=^|,)(\"[^\"]*\"|[^,\"]*)(?=,|$)").Select(m => m.Value.Trim('"'))];
        Assert.Equal(1000, Column("CallId").Distinct(StringComparer.Ordinal).Count());
        foreach ((string name, string value) in new[] { ("State", "Terminated"), ("Cause", "UserBusy"), ("CauseCode", "17"), ("From", from), ("To", to), ("AnsweredAt", "") }) Assert.Equal([value], Column(name).Distinct(StringComparer.Ordinal));
        Assert.InRange(megabytes, 1, 200);
    }

    public enum Server
    {
        Asterisk,
        FreeSwitch,
    }

    /// <summary>Needs a real server and pwsh; skipped with a reason where one of them is not there.</summary>
    private sealed class PwshFactAttribute : FactAttribute
    {
        public PwshFactAttribute(Server server) => Skip = (server == Server.Asterisk ? LiveServer.Missing : LiveFreeSwitch.Missing) ?? NoPwsh;

        private static string? NoPwsh { get; } = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(p => File.Exists(Path.Combine(p, "pwsh")) || File.Exists(Path.Combine(p, "pwsh.exe")))
            ? null
            : "there is no pwsh on this machine";
    }
}
