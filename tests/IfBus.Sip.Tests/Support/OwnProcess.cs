using System.Diagnostics;

namespace IfBus.Sip.Tests.Support;

/// <summary>Runs a program of ours in a process of its own.</summary>
internal static class OwnProcess
{
    /// <summary>Runs it to its end, within a minute.</summary>
    /// <param name="program">A dll of <see cref="Repository"/>.</param>
    /// <param name="input">What it reads.</param>
    /// <param name="arguments">Its arguments.</param>
    public static async Task<(int Code, string Output, string Errors)> RunAsync(string program, string input, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        using Process process = Process.Start(start)!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        Task<string> output = process.StandardOutput.ReadToEndAsync(limit.Token);
        Task<string> errors = process.StandardError.ReadToEndAsync(limit.Token);
        await process.StandardInput.WriteAsync(input.AsMemory(), limit.Token);
        process.StandardInput.Close();
        await process.WaitForExitAsync(limit.Token);
        return (process.ExitCode, await output, await errors);
    }
}
