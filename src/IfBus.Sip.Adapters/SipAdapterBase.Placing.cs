using IfBus.Sip.Adapters.Diagnostics;

namespace IfBus.Sip.Adapters;

/// <content>Placing calls: held back by the limits, and their outcome noted by the circuit breaker.</content>
internal abstract partial class SipAdapterBase<TSession>
{
    private readonly CallGate _limits;
    private readonly CircuitBreaker _circuit;

    /// <summary>Places a call. What it adds to the table must have the slot.</summary>
    protected abstract Task<SipCall> MakeCallAsync(TSession session, SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken);

    /// <summary>Throws what <see cref="MakeCallAsync(TSession, SipCallRequest, CallSlot?, CancellationToken)"/> would, as far as it can be told without asking the server: such a call must not wait.</summary>
    protected abstract void CheckCall(TSession session, SipCallRequest request);

    /// <summary>An error of which it is certain that nothing has been done, see <see cref="SipException.NothingDone"/>.</summary>
    protected static SipException NotDone(SipException e)
    {
        e.NothingDone = true;
        return e;
    }

    /// <inheritdoc/>
    public Task<SipCall> MakeCallAsync(SipCallRequest request, CancellationToken cancellationToken) =>
        _limits.IsLimited ? MakeInTurnAsync(request, cancellationToken) : PlaceAsync(request, null, cancellationToken);

    /// <inheritdoc/>
    public void SetLimits(int? maxCalls, double? maxCallsPerSecond)
    {
        var problems = new List<SipConfigurationProblem>();
        ConfigurationValidator.CheckLimits(maxCalls, maxCallsPerSecond, problems);
        if (problems.Count > 0) throw new SipArgumentException(problems[0].Parameter, problems[0].Value, problems[0].Rule) { Server = Name };
        _limits.SetLimits(maxCalls, maxCallsPerSecond);
    }

    private async Task<SipCall> MakeInTurnAsync(SipCallRequest request, CancellationToken cancellationToken)
    {
        CallSlot? slot = null;
        bool unused = false;
        try
        {
            TSession session = Ready(request);
            if (request.HeedCircuit && _circuit.State == CircuitState.Open) throw CircuitOpen();
            slot = await _limits.EnterAsync(request.Relationship.Weight(), () => CheckCall(session, request), cancellationToken).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            return await PlaceAsync(request, slot, cancellationToken).ConfigureAwait(false);
        }
        catch (SipException e)
        {
            e.Server ??= Name;
            unused = e.NothingDone;
            throw;
        }
        finally
        {
            // From the moment on when the call is in the table its end frees the slot, also if it is not known yet whether there is such a call.
            if (slot is { IsBound: false }) slot.Release(unused);
        }
    }

    private async Task<SipCall> PlaceAsync(SipCallRequest request, CallSlot? slot, CancellationToken cancellationToken)
    {
        bool trial = false, asked = false, judged = false;
        try
        {
            TSession session = Ready(request);
            if (request.HeedCircuit && !_circuit.TryPass(out trial)) throw CircuitOpen();
            asked = true;
            SipCall call = await ObserveAsync(() => MakeCallAsync(session, request, slot, cancellationToken)).ConfigureAwait(false);
            judged = true;
            if (_circuit.Answered()) Log.CircuitClosed(Logger, Name);
            return call;
        }
        catch (SipException e)
        {
            e.Server ??= Name;
            if (asked) judged = Judge(e);
            throw;
        }
        finally
        {
            if (trial && !judged) _circuit.Undecided();
        }
    }

    // What a failure says of the server; false if it says nothing.
    private bool Judge(SipException failure)
    {
        switch (failure)
        {
            case SipRejectedException:
                // A server that says no lives.
                if (_circuit.Answered()) Log.CircuitClosed(Logger, Name);
                return true;
            case SipConnectionException or SipTimeoutException or SipProtocolException:
                if (_circuit.Failed()) Log.CircuitOpened(Logger, Name, CircuitBreaker.Limit, Configuration.CircuitCoolDown);
                return true;
            default:
                return false;
        }
    }

    // The session, if it can make such a call.
    private TSession Ready(SipCallRequest request)
    {
        SipCapabilities needed = SipCapabilities.MakeCall | (request.FromAlternatives.Count + request.ToAlternatives.Count > 0 ? SipCapabilities.Failover : 0);
        TSession session = Current();
        return (session.Capabilities & needed) == needed ? session : throw Cannot(session, needed);
    }

    private SipConnectionException CircuitOpen() => new($"{Name} failed {CircuitBreaker.Limit} calls in a row and is left alone for {Configuration.CircuitCoolDown.TotalSeconds:0.###} s; then one call tries it. Nothing was sent.", errorId: "SipCircuitOpen")
    {
        Server = Name,
        NothingDone = true,
        RecommendedAction = "Look at it with Test-SipServer; a call with this server alone in -Server is tried in any case.",
    };
}
