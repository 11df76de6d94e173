using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Adapters.Asterisk;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Detection;

/// <summary>
/// Finds out what listens at one port. It listens first: AMI, the Event Socket and Yate's console speak by themselves. To
/// who is silent it speaks HTTP or TLS, over connections of their own, and to who takes neither the external module's
/// question for the version. Reads are bounded in bytes and in time.
/// </summary>
/// <param name="host">Where.</param>
/// <param name="port">TCP port.</param>
/// <param name="path">A path to ask beside the usual ones.</param>
/// <param name="timeout">What all may take, for the share of a step; the token of <see cref="RunAsync"/> ends it.</param>
/// <param name="time">Clock.</param>
internal sealed class PortProbe(string host, int port, string? path, TimeSpan timeout, TimeProvider time)
{
    private const int MostBytes = 4096;

    // How long one who speaks by himself is waited for before we do; he is listened to all the time.
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan ShortestStep = TimeSpan.FromMilliseconds(800);

    // There are three steps at most; who gives more time means that the host, or this machine, is slow.
    private readonly TimeSpan _step = timeout / 8 > ShortestStep ? timeout / 8 : ShortestStep;

    /// <summary>Looks until the token's time is over.</summary>
    public async Task<IReadOnlyList<SipServerFinding>> RunAsync(CancellationToken deadline)
    {
        try
        {
            using Stream stream = await new WireEndpoint(host, port, false, false).OpenAsync(deadline).ConfigureAwait(false);
            return await AskAsync(stream, deadline).ConfigureAwait(false);
        }
        catch (SipConnectionException e)
        {
            return [Nothing(SipText.Reason(e.InnerException is SocketException socket ? socket : e))];
        }
        catch (OperationCanceledException)
        {
            return [Nothing("no answer")];
        }
    }

    private async Task<IReadOnlyList<SipServerFinding>> AskAsync(Stream stream, CancellationToken deadline)
    {
        using var ear = new Ear(stream, deadline);
        if (await ear.HearsAsync(Greeting.IsWhole, Patience, time).ConfigureAwait(false) || ear.Ended) return [Heard(ear, tls: false)];

        // The likelier first, and the other only to who does not take it: some write each misfit into their log.
        bool secureFirst = port is 443 or AsteriskAdapter.DefaultTlsPort;
        List<SipServerFinding> found = secureFirst ? await SecureAsync(deadline).ConfigureAwait(false) : await ClearAsync(deadline).ConfigureAwait(false);
        if (found.Count == 0) found = secureFirst ? await ClearAsync(deadline).ConfigureAwait(false) : await SecureAsync(deadline).ConfigureAwait(false);
        if (found.Exists(static f => f.Type is not null)) return found;
        // Late, but by himself.
        if (ear.Text.Length > 0) return [Heard(ear, tls: false)];
        if (found.Count > 0) return found;

        return [await ExtModuleAsync(stream, ear, deadline).ConfigureAwait(false)];
    }

    private Task<List<SipServerFinding>> ClearAsync(CancellationToken deadline) => new HttpProbe(host, port, tls: false, path, time).RunAsync(_step, deadline);

    private async Task<List<SipServerFinding>> SecureAsync(CancellationToken deadline)
    {
        using var limit = new CancellationTokenSource(_step, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, deadline);
        try
        {
            // Nothing secret is said, so that no certificate need be trusted.
            using Stream stream = await new WireEndpoint(host, port, UseTls: true, SkipCertificateCheck: true).OpenAsync(both.Token).ConfigureAwait(false);
            using var ear = new Ear(stream, deadline);
            if (await ear.HearsAsync(Greeting.IsWhole, Patience, time).ConfigureAwait(false)) return [Heard(ear, tls: true)];
            List<SipServerFinding> found = await new HttpProbe(host, port, tls: true, path, time).RunAsync(_step, deadline).ConfigureAwait(false);
            if (found.Count > 0) return found;
            return ear.Text.Length > 0 ? [Heard(ear, tls: true)] : [Nothing("speaks TLS, and nothing that is known in it") with { UseTls = true }];
        }
        catch (Exception e) when (e is SipConnectionException or OperationCanceledException or IOException)
        {
            return [];
        }
    }

    // wire/yate, connection: a listener with a role calls the first line an error, one without needs it; both answer the second.
    private async Task<SipServerFinding> ExtModuleAsync(Stream stream, Ear ear, CancellationToken deadline)
    {
        try
        {
            await stream.WriteAsync("%%>connect:global\n%%>setlocal:engine.version:\n"u8.ToArray(), deadline).ConfigureAwait(false);
        }
        catch (IOException)
        {
            return Nothing("closes the connection when it is spoken to");
        }

        const string Answer = "%%<setlocal:engine.version:";
        if (await ear.HearsAsync(static t => t.IndexOf(Answer, StringComparison.Ordinal) is >= 0 and int at && t.IndexOf('\n', at) >= 0, _step, time).ConfigureAwait(false))
        {
            string version = ear.Text[(ear.Text.IndexOf(Answer, StringComparison.Ordinal) + Answer.Length)..].Split(':', '\n')[0];
            return new SipServerFinding { Host = host, Port = port, Type = SipServerType.Yate, IsUsable = true, Version = "Yate " + SipText.Printable(version), Evidence = $"external module of Yate {SipText.Printable(version)}" };
        }

        if (ear.Text.Length > 0) return Heard(ear, tls: false);
        return Nothing(ear.Ended ? "closes the connection when it is spoken to" : "takes connections and says nothing");
    }

    private SipServerFinding Heard(Ear ear, bool tls) => Greeting.Judge(ear.Text, ear.Ended) with { Host = host, Port = port, UseTls = tls };

    private SipServerFinding Nothing(string why) => new() { Host = host, Port = port, Evidence = why };

    /// <summary>Hears what a peer says, as it comes, until it has said enough.</summary>
    private sealed class Ear : IDisposable
    {
        private readonly CancellationTokenSource _stop;
        private readonly Task _listening;
        private readonly StringBuilder _text = new();
        private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Ear(Stream stream, CancellationToken deadline)
        {
            _stop = CancellationTokenSource.CreateLinkedTokenSource(deadline);
            _listening = ListenAsync(stream, _stop.Token);
        }

        public bool Ended => _listening.IsCompleted;

        public string Text
        {
            get
            {
                lock (_text) return _text.ToString();
            }
        }

        /// <summary>Waits until what was heard is as wanted; false when the time is over, or the peer has ended first.</summary>
        public async Task<bool> HearsAsync(Func<string, bool> wanted, TimeSpan limit, TimeProvider time)
        {
            Task passed = Task.Delay(limit, time, _stop.Token);
            while (true)
            {
                Task more;
                lock (_text) more = _more.Task;
                if (wanted(Text)) return true;
                if (_listening.IsCompleted || passed.IsCompleted) return false;
                await Task.WhenAny(more, _listening, passed).ConfigureAwait(false);
            }
        }

        public void Dispose()
        {
            _stop.Cancel();
            _stop.Dispose();
        }

        private async Task ListenAsync(Stream stream, CancellationToken stop)
        {
            byte[] buffer = new byte[MostBytes];
            int heard = 0;
            try
            {
                while (heard < MostBytes && await stream.ReadAsync(buffer.AsMemory(heard), stop).ConfigureAwait(false) is > 0 and int count)
                {
                    TaskCompletionSource old = _more;
                    lock (_text)
                    {
                        _text.Append(Encoding.Latin1.GetString(buffer, heard, count));
                        _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                    }

                    heard += count;
                    old.TrySetResult();
                }
            }
            catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
            {
                // What was heard so far has to do.
            }
        }
    }
}
