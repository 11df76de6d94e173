using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Shell;

/// <summary>The Shell's prompt: from a file, and at a terminal with Ctrl+C.</summary>
public sealed class ShellPromptTests
{
    [Theory]
    [InlineData("1 + 1\n", "2", "", 0)]
    [InlineData("if ($true) {\n'two'\n'lines'\n}\n'more'\n", "two lines more", "", 0)]
    // An error ends its statement, not the Shell.
    [InlineData("throw 'no'\n'after'\nexit 5\n'never'\n", "after", "no", 5)]
    [InlineData("exit 3\n", "", "", 3)]
    // What is incomplete to the end, or to an empty line, is run as it is.
    [InlineData("if ($true) {\n'x'\n", "", "Missing closing '}'", 0)]
    [InlineData("if ($true) {\n\n'after'\nexit 2", "after", "Missing closing '}'", 2)]
    public async Task Statements_of_a_file(string input, string expected, string error, int expectedCode)
    {
        (int code, string output, string errors) = await OwnProcess.RunAsync(Repository.Shell, input);
        Assert.Equal((expectedCode, expected), (code, string.Join(' ', output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))));
        if (error.Length == 0) Assert.Equal("", errors);
        else Assert.Contains(error, errors, StringComparison.Ordinal);
    }

    [TerminalFact]
    public async Task At_a_terminal()
    {
        using var terminal = new Terminal($"dotnet {Repository.Shell}");
        await terminal.TypeAsync("", "IfBus.Sip shell.", "SIP> ");
        await terminal.TypeAsync("if ($true) {\n", ">> ");
        await terminal.TypeAsync("'two ' + 'lines' }\n", "two lines", "SIP> ");
        await terminal.TypeAsync("throw 'a' + 'b'\n", "ab", "SIP> ");
        await terminal.TypeAsync("Start-SipSimulator Asterisk | Connect-SipServer -Name sim\n", "Connected", "SIP> ");

        // Three tries: the machine may stand still for a second of its own. Who waits for the call is late in all: it rings for a minute.
        TimeSpan taken = TimeSpan.MaxValue;
        for (int i = 0; i < 3 && taken > TimeSpan.FromSeconds(1); i++)
        {
            await terminal.TypeAsync("Stop-SipCall -All -Confirm:$false\n", "SIP> ");
            await terminal.TypeAsync("& { [pscustomobject]@{ From = 'ring'; To = '1002' }; while (-not (Get-SipCallStatus -State Ringing)) { }; [Console]::WriteLine('wai' + 'ting') } | New-SipCall -Wait\n", "waiting");
            taken = await terminal.TypeAsync("\x03", "(ring -> 1002) on sim is Ringing and goes on; Stop-SipCall ", "SIP> ");
        }

        Assert.InRange(taken.TotalSeconds, 0, 1);
        // The Shell goes on, and so does the call.
        await terminal.TypeAsync("\"calls: $(@(Get-SipCallStatus).Count)\"\n", "calls: 1", "SIP> ");
        await terminal.TypeAsync("exit 4\n");
        int code = await terminal.EndAsync();
        Assert.True(code == 4, $"{code} after: {terminal.Shown}");
    }
}
