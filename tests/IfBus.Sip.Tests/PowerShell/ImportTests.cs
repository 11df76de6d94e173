using System.Reflection;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.PowerShell;

/// <summary>What importing makes of a fresh process: each row in one of its own, in which only the PowerShell engine is loaded.</summary>
public sealed class ImportTests
{
    private const string Call = "$s = Start-SipSimulator Asterisk; $s | Connect-SipServer | ForEach-Object { }; (New-SipCall -From 1001 -To busy -Wait).Cause";

    private static readonly string Import = $"Import-Module '{Repository.StagedModule}'";

    [Fact]
    public async Task Once() => Assert.Equal((0, "UserBusy", ""), await RunAsync($"{Import}; {Call}"));

    [Fact]
    public async Task Twice() => Assert.Equal((0, "UserBusy", ""), await RunAsync($"{Import}; {Import}; {Call}"));

    [Fact]
    public async Task By_force_after_use() => Assert.Equal((0, "UserBusy UserBusy", ""), await RunAsync($"{Import}; {Call}; {Import} -Force; {Call}"));

    [Fact]
    public async Task In_two_runspaces()
    {
        // Its errors are ours: without that a second runspace in which nothing works would go unseen.
        string second = "$p = [powershell]::Create([initialsessionstate]::CreateDefault2()); $p.AddScript($both).Invoke(); if ($p.HadErrors) { throw $p.Streams.Error[0] }";
        Assert.Equal((0, "UserBusy UserBusy", ""), await RunAsync($"$both = {{ {Import}; {Call} }}.ToString(); {Import}; {second}; {Call}"));
    }

    [Fact]
    public async Task After_another_version_of_the_logging_abstractions_was_loaded()
    {
        string other = typeof(ImportTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "OtherLoggingAbstractions").Value!;
        const string Loaded = "[AppDomain]::CurrentDomain.GetAssemblies() | Where-Object { $_.GetName().Name -eq 'Microsoft.Extensions.Logging.Abstractions' } | ForEach-Object { $_.GetName().Version.Major }";
        (int code, string output, string errors) = await RunAsync($"$null = [Reflection.Assembly]::LoadFrom('{other}'); {Loaded}; '|'; {Import}; {Call}; {Loaded}");
        Assert.Equal((0, ""), (code, errors));
        // Alone before the import, and beside ours after it.
        Assert.Equal(["6", "UserBusy 6 8"], output.Split(" | "));
    }

    private static async Task<(int Code, string Output, string Errors)> RunAsync(string script)
    {
        (int code, string output, string errors) = await OwnProcess.RunAsync(Repository.EngineHost, "", script);
        return (code, string.Join(' ', output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)), errors);
    }
}
