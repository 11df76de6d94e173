using IfBus.Sip.Adapters.Diagnostics;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>The part of the adapter that asks what no event tells: what a first leg does, and everything if the login is told nothing of calls.</summary>
internal sealed partial class AsteriskAdapter
{
    private const long FollowEvery = 1000;

    private int _asking;
    private long _askAgainAt;
    private int _following;
    private long _followAgainAt;
    private int _looking;
    private bool _toldCannotAsk;

    private void OnTick()
    {
        if (_mapper.HasUntold()) FollowByAsking();
        if (!_mapper.HasWatched) return;
        List<AsteriskCall>? ask = _mapper.OnTick();
        if (_mapper.TakeLook() && _current is { } looked && looked.Commands.Contains("CoreShowChannels") && Interlocked.Exchange(ref _looking, 1) == 0) _ = LookAsync(looked);
        if (ask is null || _current is not { } session || Environment.TickCount64 < _askAgainAt) return;
        if (Interlocked.Exchange(ref _asking, 1) == 1) return;
        _ = AskDestinationsAsync(session, ask);
    }

    // Whether the server has a call of which its caller knows nothing.
    private async Task LookAsync(AsteriskSession session)
    {
        try
        {
            await ListAsync(session, CancellationToken.None).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            Log.WorkFailed(Logger, e, Name, "looking for a call");
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    // Asks what the first legs do. For many calls one list is cheaper than a question each; it is asked for at most a
    // tenth of the time, since the session does nothing else meanwhile.
    private async Task AskDestinationsAsync(AsteriskSession session, List<AsteriskCall> ask)
    {
        long begin = Environment.TickCount64;
        try
        {
            if (ask.Count > 20 && session.Commands.Contains("CoreShowChannels")) await AskAllAsync(session, ask).ConfigureAwait(false);
            else foreach (AsteriskCall call in ask) await AskOneAsync(session, call).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            Log.DestinationNotAsked(Logger, ask[0].CallId, Name, e.Message);
        }
        finally
        {
            _askAgainAt = Environment.TickCount64 + Math.Min(10 * (Environment.TickCount64 - begin), 2000);
            Volatile.Write(ref _asking, 0);
        }
    }

    private async Task AskOneAsync(AsteriskSession session, AsteriskCall call)
    {
        if (!session.Commands.Contains("Status"))
        {
            if (!_toldCannotAsk) Log.CannotAskDestinations(Logger, Name);
            _toldCannotAsk = true;
            _mapper.StopAsking(call);
            return;
        }

        AmiReply reply = await session.Ami.RequestAsync(new AmiAction("Status").Add("Channel", call.Primary!.Id), CancellationToken.None).ConfigureAwait(false);
        // No such channel: its Hangup is under way.
        if (reply.IsSuccess && reply.Items.Count > 0) await DecideAsync(session, call, reply.Items[0], reply.Items[0].Get("Data"u8)).ConfigureAwait(false);
    }

    private async Task DecideAsync(AsteriskSession session, AsteriskCall call, AmiMessage channel, string? data)
    {
        string application = channel.Get("Application"u8) ?? "";
        string? exten = channel.Get("Exten"u8);
        bool dialsLater = DestinationRules.Speaks(application) && await DialsLaterAsync(session, channel, application, exten).ConfigureAwait(false);
        _mapper.OnDestination(call, application, data, exten, dialsLater);
    }

    private async Task AskAllAsync(AsteriskSession session, List<AsteriskCall> ask)
    {
        AmiReply reply = await session.Ami.RequestAsync(new AmiAction("CoreShowChannels"), CancellationToken.None).ConfigureAwait(false);
        var doing = new Dictionary<string, AmiMessage>(reply.Items.Count);
        foreach (AmiMessage item in reply.Items) doing[item.Get("Uniqueid"u8) ?? ""] = item;
        foreach (AsteriskCall call in ask)
        {
            if (doing.TryGetValue(call.Primary!.Id, out AmiMessage? item)) await DecideAsync(session, call, item, item.Get("ApplicationData"u8)).ConfigureAwait(false);
        }
    }

    // A list each second, for as long as calls of ours are up.
    private void FollowByAsking()
    {
        if (_current is not { } session || session.Closed.IsCompleted || Environment.TickCount64 < _followAgainAt) return;
        if (Interlocked.Exchange(ref _following, 1) == 1) return;
        _ = FollowAsync(session);
    }

    private async Task FollowAsync(AsteriskSession session)
    {
        try
        {
            bool first = !_mapper.FollowsByAsking;
            bool may = session.Commands.Contains("CoreShowChannels");
            AmiReply reply = may ? await session.Ami.RequestAsync(new AmiAction("CoreShowChannels"), CancellationToken.None).ConfigureAwait(false) : default;
            // Closed meanwhile: the next connection has to find out for itself.
            if (session.Closed.IsCompleted || _mapper.IsTold) return;
            // Before whoever waits for the call is told: it is theirs to read.
            if (first) Log.FollowedByAsking(Logger, Name, may);
            _mapper.Follow(may && reply.IsSuccess ? reply.Items : null);
        }
        catch (SipException e)
        {
            Log.WorkFailed(Logger, e, Name, "listing its calls");
        }
        finally
        {
            _followAgainAt = Environment.TickCount64 + FollowEvery;
            Volatile.Write(ref _following, 0);
        }
    }
}
