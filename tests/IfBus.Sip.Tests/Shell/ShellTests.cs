using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Shell;

/// <summary>The Shell in processes of its own: exit codes, the first-call example, and the module that it brings.</summary>
public sealed class ShellTests
{
    private const string Call = "$s = Start-SipSimulator Asterisk; $s | Connect-SipServer | ForEach-Object { }; (New-SipCall -From 1001 -To busy -Wait).Cause";

    [Fact]
    public async Task First_call()
    {
        (int code, string output, string errors) = await RunAsync(Path.Combine(Repository.Root, "examples", "first-call.ps1"));
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("1001 -> 1002: Connected", output, StringComparison.Ordinal);
        Assert.Contains("UserBusy (17, SIP 486)", output, StringComparison.Ordinal);
        Assert.Contains("ANSWERED", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("throw 'no'", 1)]
    [InlineData("'fine'", 0)]
    public async Task Exit_codes(string script, int expected) => Assert.Equal(expected, (await RunAsync("-Command", script)).Code);

    [Theory]
    [InlineData("exit 3", 3)]
    [InlineData("throw 'no'", 1)]
    [InlineData("'fine'", 0)]
    public async Task Exit_codes_of_scripts(string script, int expected)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("ifbus-shell");
        try
        {
            string path = Path.Combine(folder.FullName, "exit.ps1");
            await File.WriteAllTextAsync(path, script);
            Assert.Equal(expected, (await RunAsync(path)).Code);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task A_cmdlet_that_the_engine_lacks_is_explained()
    {
        (int code, string output, string errors) = await RunAsync("-Command", "'x' | Export-Csv y.csv");
        Assert.Equal(1, code);
        Assert.Contains("Export-Csv is not in this shell", output + errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Import-Module '{0}' -Force; ")]
    public async Task The_module_is_there_and_may_be_imported_again(string before)
    {
        (int code, string output, string errors) = await RunAsync("-Command", before.Replace("{0}", Repository.StagedModule, StringComparison.Ordinal) + Call);
        Assert.Equal((0, "UserBusy", ""), (code, output.Trim(), errors));
    }

    private static Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) => OwnProcess.RunAsync(Repository.Shell, "", arguments);
}
