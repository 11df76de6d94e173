using System.Diagnostics;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Benchmarks;

/// <summary>
/// Calls a second on a real FreeSWITCH, 50 in flight: New-SipCall against a raw socket client that writes the same
/// originates and sends the next as a job ends, once subscribed to jobs only, and twice to the events that tell how a call
/// goes, in either form. What an originate sets and what is told of it costs the server more than all else: one of
/// null/1 with no variables is a third quicker. Where IFBUS_FREESWITCH_PORT names one.
/// </summary>
internal static class FreeSwitchOriginates
{
    private const int Window = 50;

    private static readonly SipCallRequest Call = new() { To = "null/1", Application = "hangup" };

    private static readonly SipServerConfiguration Configuration = new();

    private static readonly string CallEvents = string.Join(' ', FreeSwitchSession.CallEvents);

    public static async Task RunAsync(int count, int rounds, int warmUps)
    {
        if (Environment.GetEnvironmentVariable("IFBUS_FREESWITCH_PORT") is not { Length: > 0 } text)
        {
            Console.WriteLine("calls on a real FreeSWITCH: not measured, IFBUS_FREESWITCH_PORT is not set");
            return;
        }

        int port = int.Parse(text, CultureInfo.InvariantCulture);
        string secret = Environment.GetEnvironmentVariable("IFBUS_FREESWITCH_SECRET") ?? "ClueCon";
        List<double> jobs = [], plain = [], json = [], ours = [], processor = [];
        using var module = new BenchModule();
        var credential = new PSCredential("bench", new NetworkCredential("", secret).SecurePassword);
        for (int round = -warmUps; round < rounds; round++)
        {
            double j = await RawAsync(port, secret, count, "plain BACKGROUND_JOB").ConfigureAwait(false);
            double r = await RawAsync(port, secret, count, "plain " + CallEvents).ConfigureAwait(false);
            double s = await RawAsync(port, secret, count, "json " + CallEvents).ConfigureAwait(false);
            TimeSpan before = Process.GetCurrentProcess().TotalProcessorTime;
            // Connected only while it is measured, or the server would tell it of the raw clients' calls.
            module.Run<object>("param($p, $c) Connect-SipServer 127.0.0.1 -Type FreeSwitch -Port $p -Credential $c -Name bench", port, credential);
            double o = Ours(module, count);
            module.Run<object>("Disconnect-SipServer");
            if (round < 0) continue;
            jobs.Add(j);
            plain.Add(r);
            json.Add(s);
            ours.Add(o);
            processor.Add((Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / count);
        }

        Figures.Row($"FreeSWITCH: raw socket client, jobs only, {Window} in flight", jobs, "calls/s");
        Figures.Row("FreeSWITCH: raw socket client, events of calls, plain", plain, "calls/s", jobs);
        Figures.Row("FreeSWITCH: raw socket client, events of calls as JSON", json, "calls/s", jobs);
        Figures.Row("FreeSWITCH: New-SipCall from the pipeline, against jobs only", ours, "calls/s", jobs);
        Figures.Row("FreeSWITCH: New-SipCall from the pipeline, against the same events", ours, "calls/s", json);
        Figures.Row("FreeSWITCH: New-SipCall, processor time of our process", processor, "us/call");
    }

    private static async Task<double> RawAsync(int port, string secret, int count, string events)
    {
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port).ConfigureAwait(false);
        using NetworkStream stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"auth {secret}\n\nevent {events}\n\n")).ConfigureAwait(false);
        string tag = Guid.NewGuid().ToString("N");
        // Either form of an event: its name, and the job's id, which follows in the same event.
        bool isJson = events.StartsWith("json", StringComparison.Ordinal);
        byte[] mark = Encoding.ASCII.GetBytes(isJson ? $"\"Job-UUID\":\"{tag}-" : $"Job-UUID: {tag}-");
        byte[] ended = Encoding.ASCII.GetBytes(isJson ? "\"Event-Name\":\"BACKGROUND_JOB\"" : "Event-Name: BACKGROUND_JOB");
        byte[] last = isJson ? "}"u8.ToArray() : "\n\n"u8.ToArray();
        int sent = 0, done = 0;
        string Next() => $"bgapi {FreeSwitchCommands.Originate(Call, Guid.NewGuid().ToString(), Configuration, null, out _, out _)}\nJob-UUID: {tag}-{sent++}\n\n";
        long begin = Stopwatch.GetTimestamp();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(0, Window).Select(_ => Next())))).ConfigureAwait(false);
        byte[] buffer = new byte[1 << 20];
        int end = 0;
        while (done < count)
        {
            int got = await stream.ReadAsync(buffer.AsMemory(end)).ConfigureAwait(false);
            if (got == 0) throw new IOException("closed");
            end += got;
            int at = 0;
            // Ours are told from others' jobs by their tag; each ends once.
            while (buffer.AsSpan(at, end - at).IndexOf(ended) is >= 0 and int found && buffer.AsSpan(at + found, end - at - found).IndexOf(last) is >= 0 and int head)
            {
                if (buffer.AsSpan(at + found, head).IndexOf(mark) >= 0)
                {
                    done++;
                    if (sent < count) await stream.WriteAsync(Encoding.ASCII.GetBytes(Next())).ConfigureAwait(false);
                }

                at += found + head;
            }

            buffer.AsSpan(at, end - at).CopyTo(buffer);
            end -= at;
        }

        return count / Stopwatch.GetElapsedTime(begin).TotalSeconds;
    }

    private static double Ours(BenchModule module, int count)
    {
        long begin = Stopwatch.GetTimestamp();
        SipCall[] calls = module.Run<SipCall>($"param($n) 1..$n | ForEach-Object {{ [pscustomobject]@{{ To = '{Call.To}'; Application = '{Call.Application}' }} }} | New-SipCall -ThrottleLimit {Window} -Wait", count);
        double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        return calls.Length == count && calls.All(c => c.AnsweredAt is not null) ? count / seconds : throw new InvalidOperationException("not all calls were answered");
    }
}
