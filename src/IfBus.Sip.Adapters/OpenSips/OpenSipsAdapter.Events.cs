using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;
using IfBus.Sip.Adapters.Http;

namespace IfBus.Sip.Adapters.OpenSips;

/// <content>Logging in, the event stream and its gaps, and the lists that calls are read from.</content>
internal sealed partial class OpenSipsAdapter
{
    private IPAddress[] _serverAddresses = [];
    private int _streams;
    private volatile bool _mayHaveLost;

    // How long a subscription lives; renewed at half of it. The server forgets a client that died.
    private int Lifetime => (int)Math.Clamp(Math.Ceiling(Configuration.KeepAlive.TotalSeconds * 4), 4, 3600);

    private async Task<OpenSipsLogin> LogInAsync(MiClient mi, CancellationToken cancellationToken)
    {
        JsonElement which = await mi.AskAsync("which", RpcParameters.None, cancellationToken).ConfigureAwait(false);
        if (which.ValueKind != JsonValueKind.Array) throw new SipProtocolException($"{Name} answers, and not as OpenSIPS does: which lists no commands.");
        var commands = which.EnumerateArray().Select(MiJson.Text).OfType<string>().ToHashSet(StringComparer.Ordinal);
        string? said = MiJson.Text(await mi.AskAsync("version", RpcParameters.None, cancellationToken).ConfigureAwait(false), "Server");
        TimeSpan? up = Uptime(await mi.AskAsync("uptime", RpcParameters.None, cancellationToken).ConfigureAwait(false));
        HashSet<string> told = [];
        if (commands.Contains("event_subscribe") && commands.Contains("events_list") && await ListenAsync(cancellationToken).ConfigureAwait(false))
        {
            List<string> known = await mi.ListAsync("events_list", ["Events"], e => MiJson.Text(e, "name"), cancellationToken).ConfigureAwait(false);
            told = await SubscribeAsync(mi, OpenSipsSession.WantedEvents.Where(known.Contains), cancellationToken).ConfigureAwait(false);
        }

        if (!told.Contains("E_DLG_STATE_CHANGED")) Log.Polling(Logger, Name, Configuration.PollInterval);
        return new OpenSipsLogin(said is null ? "OpenSIPS" : OpenSipsLogin.ReadVersion(said), up is { } time ? Time.GetUtcNow().UtcDateTime - time : null, commands, told);
    }

    // False if there is no address that the server could reach.
    private async Task<bool> ListenAsync(CancellationToken cancellationToken)
    {
        if (_listener is not null)
        {
            _listener.Start();
            return true;
        }

        try
        {
            _serverAddresses = IPAddress.TryParse(Configuration.Host!, out IPAddress? literal) ? [literal] : await Dns.GetHostAddressesAsync(Configuration.Host!, cancellationToken).ConfigureAwait(false);
        }
        catch (SocketException e)
        {
            throw new SipConnectionException($"The name {Configuration.Host} cannot be resolved: {SipText.Reason(e)}.", e) { Server = Name };
        }

        bool local = WireEndpoint.IsLoopback(Configuration.Host!);
        IPAddress loopback = local && Array.Exists(_serverAddresses, a => a.AddressFamily == AddressFamily.InterNetwork) ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        IPEndPoint? address = null;
        if (Configuration.EventAddress is { } wanted)
        {
            ConfigurationValidator.TryAddress(wanted, loopback.ToString(), out string host, out int port);
            if (host.Length == 0) host = loopback.ToString();
            address = new IPEndPoint(host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? loopback : IPAddress.Parse(host), port);
        }
        else if (local)
        {
            address = new IPEndPoint(loopback, 0);
        }

        if (address is null) return false;
        var listener = new EventListener(address, MayConnect, Name, Logger) { OnEvent = _mapper.OnEvent, OnConnected = OnStream, OnLost = OnStreamLost };
        listener.Start();
        _listener = listener;
        return true;
    }

    private bool MayConnect(IPAddress from)
    {
        if (from.IsIPv4MappedToIPv6) from = from.MapToIPv4();
        return Array.Exists(_serverAddresses, a => a.Equals(from) || (IPAddress.IsLoopback(a) && IPAddress.IsLoopback(from)));
    }

    private async Task<HashSet<string>> SubscribeAsync(MiClient mi, IEnumerable<string> names, CancellationToken cancellationToken, int? seconds = null)
    {
        var told = new HashSet<string>(StringComparer.Ordinal);
        foreach (string name in names)
        {
            try
            {
                await mi.AskAsync("event_subscribe", RpcParameters.Of(name, _listener!.Target, seconds ?? Lifetime), cancellationToken).ConfigureAwait(false);
                told.Add(name);
            }
            catch (SipRejectedException e)
            {
                // 400 Bad parameter value: no event_stream in the server.
                Log.EventNotTold(Logger, Name, name, e.Message);
                if (told.Count == 0) break;
            }
        }

        return told;
    }

    // The server opens its connection at its first event.
    private void OnStream()
    {
        bool again = Interlocked.Increment(ref _streams) > 1 && _mayHaveLost;
        if (again) Beside("reading the calls again", RereadAsync);
    }

    // What the server writes to a connection that is gone is lost, and it does not know. From here on nothing is sure
    // until it has connected again, and the calls have been read then.
    private void OnStreamLost()
    {
        if (_current is not { } session || session.Ended.IsCancellationRequested) return;
        _mayHaveLost = true;
        Log.StreamLost(Logger, Name);
        Beside("reading the calls again", ReadLostAsync);
    }

    private async Task RereadAsync(OpenSipsSession session)
    {
        _mayHaveLost = false;
        int changed = await ReadCallsAsync(session, null, afterLoss: true, session.Ended).ConfigureAwait(false);
        TellLost(changed, "while the event stream was down");
    }

    private async Task ReadLostAsync(OpenSipsSession session)
    {
        int changed = await ReadCallsAsync(session, null, afterLoss: true, session.Ended).ConfigureAwait(false);
        if (changed > 0) TellLost(changed, "while the event stream was down");
    }

    private void TellLost(int changed, string when)
    {
        if (!Events.Wants(SipEventTypes.EventsLost) || _listener is null) return;
        Events.Publish(new SipEvent(SipEventTypes.EventsLost, Name, Type, Time.GetUtcNow().UtcDateTime, "EventsLost")
        {
            LostCount = changed,
            Message = string.Create(CultureInfo.InvariantCulture, $"Events of {Name} may be lost {when}; the calls have been read again, and {changed} of them stood otherwise than told."),
        });
    }

    // Is it there, is it the same process, and does it still send us its events?
    private async Task BeatAsync(OpenSipsSession session, CancellationToken cancellationToken)
    {
        TimeSpan? up = Uptime(await session.Mi.AskAsync("uptime", RpcParameters.None, cancellationToken).ConfigureAwait(false));
        if (up is { } now && session.StartedAt is { } started && Time.GetUtcNow().UtcDateTime - now - started > TimeSpan.FromSeconds(3))
            throw new SipConnectionException($"{Name} was started anew.", errorId: "SipServerRestarted") { Server = Name };
        if (!session.HasCallEvents) return;
        if (await RemainingAsync(session, cancellationToken).ConfigureAwait(false) is not { } left)
        {
            await SubscribeAsync(session.Mi, session.Login.Events, cancellationToken).ConfigureAwait(false);
            int changed = await ReadCallsAsync(session, null, afterLoss: true, cancellationToken).ConfigureAwait(false);
            TellLost(changed, "since the subscription had run out or was taken away");
        }
        else if (left < Lifetime / 2 + 1)
        {
            await SubscribeAsync(session.Mi, session.Login.Events, cancellationToken).ConfigureAwait(false);
        }

        if (_mayHaveLost) await ReadLostAsync(session).ConfigureAwait(false);
    }

    // Seconds that the subscription still lives; null if there is none.
    private async Task<long?> RemainingAsync(OpenSipsSession session, CancellationToken cancellationToken)
    {
        if (!session.Login.Commands.Contains("subscribers_list")) return 0;
        try
        {
            JsonElement reply = await session.Mi.AskAsync("subscribers_list", RpcParameters.Of("E_DLG_STATE_CHANGED", _listener!.Target), cancellationToken).ConfigureAwait(false);
            if (reply.ValueKind != JsonValueKind.Object || !reply.TryGetProperty("Event", out JsonElement e) || e.ValueKind != JsonValueKind.Object || !e.TryGetProperty("Subscriber", out JsonElement subscriber)) return null;
            return MiJson.Number(subscriber, "ttl") is > 0 and long left ? left : null;
        }
        catch (SipRejectedException)
        {
            return null;
        }
    }

    // Reads what the server lists and holds the table against it. Returns how many calls stood otherwise.
    private async Task<int> ReadCallsAsync(OpenSipsSession session, HangupCause? missing, bool afterLoss, CancellationToken cancellationToken, bool reconnected = false)
    {
        int changed = 0;
        if (session.Login.Commands.Contains("dlg_list"))
        {
            Dictionary<string, DialogRow> rows = await session.Mi.DialogsAsync(session.DialogList, cancellationToken).ConfigureAwait(false);
            (changed, List<OpenSipsCall> unlisted) = _mapper.Reconcile(rows.Values, afterLoss);
            foreach (OpenSipsCall call in unlisted)
            {
                // It may have come after its page was made: the server is asked for it alone.
                (string? sipCallId, string? dialogId) = (call.SipCallId, call.DialogId);
                if (sipCallId is null || dialogId is null) continue;
                DialogRow? row = await session.Mi.DialogAsync(session.DialogList, sipCallId, dialogId, cancellationToken).ConfigureAwait(false);
                if (row is not null)
                {
                    changed += _mapper.Reconcile([row], afterLoss).Changed;
                }
                else if (call.DialogId == dialogId && call.State != CallState.Terminated)
                {
                    _mapper.Gone(call, missing);
                    changed++;
                }
            }
        }

        if (session.Login.Commands.Contains("b2b_list")) await LookAtScenariosAsync(session, addOthers: true, cancellationToken, reconnected ? missing ?? HangupCause.EndedUnseen : null).ConfigureAwait(false);
        if (afterLoss && session.Login.Commands.Contains("ua_session_list")) await LookAtSessionsAsync(session, missing, cancellationToken).ConfigureAwait(false);
        return changed;
    }

    // Only the events of a dialog are known: its addresses are asked for.
    private void LookUpLater(string sipCallId, string dialogId) => _ = Task.Run(async () =>
    {
        DialogRow? row = null;
        try
        {
            if (_current is { } session)
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(session.Ended);
                limit.CancelAfter(TimeSpan.FromSeconds(5));
                row = await session.Mi.DialogAsync("dlg_list", sipCallId, dialogId, limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is SipException or OperationCanceledException)
        {
            _mapper.Failed(e, "asking for the addresses of a call");
        }
        finally
        {
            _mapper.Found(dialogId, row);
        }
    });

    private void Beside(string what, Func<OpenSipsSession, Task> work)
    {
        if (_current is not { } session) return;
        _ = Task.Run(async () =>
        {
            try
            {
                await work(session).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (session.Ended.IsCancellationRequested)
            {
                // The connection is over; the next one reads the calls.
            }
            catch (Exception e) when (e is SipException or OperationCanceledException or ObjectDisposedException)
            {
                _mapper.Failed(e, what);
            }
        });
    }
}
