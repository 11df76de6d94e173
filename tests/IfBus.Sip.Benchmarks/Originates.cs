using System.Collections;
using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Benchmarks;

/// <summary>
/// Calls a second: <c>1..N | ForEach-Object { [pscustomobject]@{ To = ... } } | New-SipCall -From ...</c> against a raw
/// socket client that writes the same Originates in one burst; both until the last call is answered. Against the
/// simulator in a process of its own, once to a phone that rings as long as it does by default and once to a Local channel,
/// which answers at once; and against a real Asterisk, with Local channels, where IFBUS_ASTERISK_PORT names one.
/// </summary>
internal static class Originates
{
    private const string Phone = "PJSIP/1001", Local = "Local/echo@ifbus";

    public static async Task RunAsync(int count, int rounds, int warmUps)
    {
        using (Process simulator = Requests.Start("serve-simulator"))
        {
            int port = int.Parse((await simulator.StandardOutput.ReadLineAsync().ConfigureAwait(false))!, CultureInfo.InvariantCulture);
            await PairAsync("simulated phones", port, "ifbus", "ifbus-secret", Phone, count, rounds, warmUps).ConfigureAwait(false);
            await PairAsync("simulated Local channels", port, "ifbus", "ifbus-secret", Local, count, rounds, warmUps).ConfigureAwait(false);
            simulator.StandardInput.Close();
        }

        if (Environment.GetEnvironmentVariable("IFBUS_ASTERISK_PORT") is { Length: > 0 } real)
        {
            await PairAsync(
                "Asterisk, Local channels", int.Parse(real, CultureInfo.InvariantCulture), Environment.GetEnvironmentVariable("IFBUS_ASTERISK_USER")!, Environment.GetEnvironmentVariable("IFBUS_ASTERISK_SECRET")!, Local, count, rounds, Math.Min(warmUps, 3)).ConfigureAwait(false);
        }
        else
        {
            Console.WriteLine("calls on a real Asterisk: not measured, IFBUS_ASTERISK_PORT is not set");
        }
    }

    public static async Task ServeAsync()
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions());
        Console.WriteLine(simulator.Port);
        await Console.In.ReadToEndAsync().ConfigureAwait(false);
    }

    private static async Task PairAsync(string server, int port, string user, string secret, string from, int count, int rounds, int warmUps)
    {
        List<double> raw = [], ours = [], empty = [];
        using var module = new BenchModule();
        var credential = new PSCredential(user, new NetworkCredential("", secret).SecurePassword);
        // The pipeline runs through half of PowerShell: it takes the runtime some 40 000 records to have it compiled.
        for (int round = -warmUps; round < rounds; round++)
        {
            double r = await RawAsync(port, user, secret, from, count).ConfigureAwait(false);
            // Connected only while it is measured, or the server would tell it of the raw client's calls.
            module.Run<object>("param($p, $c) Connect-SipServer 127.0.0.1 -Type Asterisk -Port $p -Credential $c -Name bench -Context ifbus", port, credential);
            double o = Ours(module, from, count);
            module.Run<object>("Disconnect-SipServer");
            if (round < 0) continue;
            raw.Add(r);
            ours.Add(o);
            empty.Add(Pipeline(count));
        }

        Figures.Row($"{server}: raw socket client, one burst of {count}", raw, "answered/s");
        Figures.Row($"{server}: New-SipCall from the pipeline", ours, "answered/s", raw);
        Figures.Row("the same records into a cmdlet with its parameters that does nothing", empty, "records/s", raw);
    }

    private static async Task<double> RawAsync(int port, string user, string secret, string from, int count)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);
        using NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: system,call,cdr,dtmf\r\n\r\n")).ConfigureAwait(false);
        byte[] buffer = new byte[1 << 20];
        await UntilAsync(stream, buffer, "Message: Authentication accepted", 1).ConfigureAwait(false);
        string prefix = Guid.NewGuid().ToString()[..24];
        string text = string.Concat(Enumerable.Range(0, count).Select(i =>
            $"Action: Originate\r\nActionID: r{i}\r\nChannel: {from}\r\nContext: ifbus\r\nExten: wait\r\nPriority: 1\r\nTimeout: 60000\r\nVariable: __IFBUS_CALL=if://call/{prefix}{i:x12}\r\nChannelId: {prefix}{i:x12}\r\nAsync: true\r\n\r\n"));
        long begin = Stopwatch.GetTimestamp();
        Task writing = stream.WriteAsync(Encoding.ASCII.GetBytes(text)).AsTask();
        await UntilAsync(stream, buffer, "Event: OriginateResponse\r\n", count).ConfigureAwait(false);
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        await writing.ConfigureAwait(false);
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"Action: Hangup\r\nChannel: /^{from.Split('/')[0]}/\r\nCause: 16\r\n\r\n")).ConfigureAwait(false);
        await UntilAsync(stream, buffer, "Event: Hangup\r\n", (from == Local ? 2 : 1) * count).ConfigureAwait(false);
        return count / seconds;
    }

    private static double Ours(BenchModule module, string from, int count)
    {
        DateTime begin = DateTime.UtcNow;
        SipCall[] calls = module.Run<SipCall>("param($n, $from) 1..$n | ForEach-Object { [pscustomobject]@{ To = 'wait' } } | New-SipCall -From $from -ThrottleLimit 1000", count, from);
        SipCall[] connected = module.Run<SipCall>("param($c) $c | Wait-SipCall -State Connected -Timeout 60", new object[] { calls });
        double seconds = (connected.Max(c => c.AnsweredAt!.Value) - begin).TotalSeconds;
        module.Run<object>("Stop-SipCall -All -Force");
        return connected.Count(c => c.State == CallState.Connected) == count ? count / seconds : throw new InvalidOperationException("not all calls were answered");
    }

    // What PowerShell itself takes: New-SipCall cannot be faster than a cmdlet that only takes the same parameters.
    private static double Pipeline(int count)
    {
        InitialSessionState state = InitialSessionState.CreateDefault2();
        state.Commands.Add(new SessionStateCmdletEntry("Step-Nothing", typeof(StepNothing), null));
        using Runspace runspace = RunspaceFactory.CreateRunspace(state);
        runspace.Open();
        double Once(int records)
        {
            using var shell = PowerShell.Create(runspace);
            shell.AddScript("param($n) 1..$n | ForEach-Object { [pscustomobject]@{ To = 'wait' } } | Step-Nothing -From Local/echo@ifbus").AddArgument(records);
            long begin = Stopwatch.GetTimestamp();
            shell.Invoke();
            return Stopwatch.GetElapsedTime(begin).TotalSeconds;
        }

        Once(10);
        return count / Once(count);
    }

    private static async Task UntilAsync(NetworkStream stream, byte[] buffer, string text, int times)
    {
        byte[] wanted = Encoding.ASCII.GetBytes(text);
        int end = 0;
        while (times > 0)
        {
            int count = await stream.ReadAsync(buffer.AsMemory(end)).ConfigureAwait(false);
            if (count == 0) throw new IOException("closed");
            end += count;
            int at = 0;
            while (times > 0 && buffer.AsSpan(at, end - at).IndexOf(wanted) is >= 0 and int found)
            {
                at += found + wanted.Length;
                times--;
            }

            at = Math.Max(at, end - wanted.Length + 1);
            buffer.AsSpan(at, end - at).CopyTo(buffer);
            end -= at;
        }
    }
}

/// <summary>Has the parameters of New-SipCall, which the engine binds for each record, and gives one object for a record.</summary>
[Cmdlet(VerbsCommon.Step, "Nothing", SupportsShouldProcess = true, DefaultParameterSetName = "TwoNumbers")]
public sealed class StepNothing : PSCmdlet
{
#pragma warning disable CS1591 // as there
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = "TwoNumbers")]
    public string[]? From { get; set; }

    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    public string[]? To { get; set; }

    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Application")]
    public string? Application { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = "Application")]
    public string? ApplicationData { get; set; }

    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Play")]
    public string? Play { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? CallerId { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public TimeSpan? Timeout { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public IDictionary? Variable { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Context { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public SipRelationship Relationship { get; set; }

    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string[]? Server { get; set; }

    [Parameter]
    public SipServerSelection? Selection { get; set; }

    [Parameter]
    public SwitchParameter Wait { get; set; }

    [Parameter]
    [ValidateRange(1, 100_000)]
    public int ThrottleLimit { get; set; } = 64;
#pragma warning restore CS1591

    /// <inheritdoc/>
    protected override void ProcessRecord() => WriteObject(To);
}
