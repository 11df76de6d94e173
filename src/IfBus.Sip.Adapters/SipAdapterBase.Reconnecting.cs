using IfBus.Sip.Adapters.Connection;
using IfBus.Sip.Adapters.Diagnostics;

namespace IfBus.Sip.Adapters;

/// <content>The life of the connection: opened in time, watched, and tried again when it is lost.</content>
internal abstract partial class SipAdapterBase<TSession>
{
    private Task<TSession> OpenInTimeAsync(CancellationToken cancellationToken) =>
        Deadline.RunAsync(OpenAsync, Configuration.ConnectTimeout, Time, () => $"Connecting to {Name} ({Configuration.Host}:{Port})", cancellationToken);

    // False if the adapter was left while the session was opened: nobody else knows of it, so it is closed here.
    private async Task<bool> EnterAsync(TSession session)
    {
        bool left;
        lock (_gate)
        {
            left = _leaving;
            if (!left)
            {
                _session = session;
                _info = new SipServerInfo(session.Version, session.StartedAt, session.Capabilities);
                _connectedAt = Time.GetUtcNow().UtcDateTime;
            }
        }

        if (left)
        {
            await session.CloseAsync(CancellationToken.None).ConfigureAwait(false);
            return false;
        }

        _limits.Open();
        SetState(ConnectionState.Connected, null);
        Log.Connected(Logger, Name, session.Version);
        return true;
    }

    private async Task SuperviseAsync(TSession session)
    {
        try
        {
            await WatchAsync(session).ConfigureAwait(false);
        }
#pragma warning disable CA1031 // nobody awaits this: an error of our own must be told, not lost
        catch (Exception e)
#pragma warning restore CA1031
        {
            Log.WorkFailed(Logger, e, Name, "watching the connection");
            lock (_gate) _session = null;
            GiveUp(e);
        }
    }

    // Watches the connection; when it is lost, tries again until it is back, attempts are used up, or we leave.
    private async Task WatchAsync(TSession session)
    {
        while (true)
        {
            Exception reason = await session.Closed.ConfigureAwait(false);
            lock (_gate)
            {
                _session = null;
                if (_leaving) return;
            }

            _limits.Close(reason.Message);
            Log.ConnectionLost(Logger, Name, reason.Message);
            TSession? next = await ReconnectAsync(reason).ConfigureAwait(false);
            if (next is null) return;
            session = next;
        }
    }

    private async Task<TSession?> ReconnectAsync(Exception reason)
    {
        SetState(ConnectionState.Reconnecting, reason.Message);
        // Who asked for a hang-up was told that nobody knows whether it arrived: the server's list tells.
        lock (Calls.Sync)
        {
            foreach (TrackedCall call in Calls.Live) Calls.GoesOn(call);
        }

        for (int attempt = 0; attempt < (Configuration.Reconnect.MaxAttempts ?? int.MaxValue); attempt++)
        {
            try
            {
#pragma warning disable CA5394 // jitter needs no secrecy
                TimeSpan delay = Backoff.Next(Configuration.Reconnect, attempt, Random.Shared.NextDouble());
#pragma warning restore CA5394
                Log.Reconnecting(Logger, Name, delay, attempt + 1);
                await Task.Delay(delay, Time, _left).ConfigureAwait(false);
                TSession session = await OpenInTimeAsync(_left).ConfigureAwait(false);
                Interlocked.Increment(ref _reconnects);
                SipMeter.Reconnects.Add(1, new KeyValuePair<string, object?>("server.type", Type.ToString()));
                return await EnterAsync(session).ConfigureAwait(false) ? session : null;
            }
            catch (OperationCanceledException) when (_left.IsCancellationRequested)
            {
                return null;
            }
            catch (SipAuthenticationException e)
            {
                // The same answer would come again, and a server may lock the account.
                reason = e;
                break;
            }
            catch (Exception e) when (e is SipException or OperationCanceledException)
            {
                // A cancellation that is not ours is some time limit within, and an attempt that failed like others.
                reason = e;
                Log.ReconnectFailed(Logger, Name, attempt + 1, e.Message);
                lock (_gate) _lastError = e.Message;
            }
#pragma warning disable CA1031 // nobody awaits this loop: an error of our own must be told, not lost
            catch (Exception e)
#pragma warning restore CA1031
            {
                Log.WorkFailed(Logger, e, Name, "reconnecting");
                reason = e;
                break;
            }
        }

        GiveUp(reason);
        return null;
    }

    private void GiveUp(Exception reason)
    {
        Log.GaveUp(Logger, Name, reason.Message);
        SetState(ConnectionState.Failed, reason.Message);
        Calls.FailWaiters(new SipConnectionException($"{Name} is lost: {reason.Message} What became of the call is unknown.", reason, "SipConnectionLost") { Server = Name, OutcomeUnknown = true });
    }

    private void SetState(ConnectionState state, string? error)
    {
        lock (_gate)
        {
            if (_leaving && state is not (ConnectionState.Disconnecting or ConnectionState.Disconnected)) return;
            if (_state == state) return;
            _state = state;
            _lastError = error;
        }

        if (!Events.Wants(SipEventTypes.ConnectionStateChanged)) return;
        Events.Publish(new SipEvent(SipEventTypes.ConnectionStateChanged, Name, Type, Time.GetUtcNow().UtcDateTime, state.ToString())
        {
            ConnectionState = state,
            Message = error is null ? $"{Name} is {state}." : $"{Name} is {state}: {error}",
        });
    }
}
