namespace IfBus.Sip.Adapters.Yate;

/// <content>Routes: we are asked where calls go.</content>
internal sealed partial class YateAdapter
{
    private readonly object _routesGate = new();
    private readonly List<YateRouteHandler> _routes = [];

    /// <inheritdoc/>
    public override IReadOnlyList<SipRoute> Routes
    {
        get
        {
            lock (_routesGate) return [.. _routes.Select(r => r.Shown)];
        }
    }

    protected override async Task<SipRoute> RegisterRouteAsync(YateSession session, SipRouteRequest request, Func<SipRouteQuestion, CancellationToken, Task<SipRouteAnswer?>> decide, Action? released, CancellationToken cancellationToken)
    {
        if (request.Name.Length is 0 or > 64 || request.Name.Any(char.IsControl)) throw new SipArgumentException("Name", request.Name, "1 to 64 characters, no control characters.");
        // It goes into a command that is not escaped.
        if (request.Number is { } number && (number.Length is 0 or > 80 || number.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('+' or '*' or '?' or '.' or '_' or '-')))) throw new SipArgumentException("Number", number, "1 to 80 letters, digits and + . _ -, with * and ? as wildcards.");
        if (request.Priority is < 1 or > 1000) throw new SipArgumentException("Priority", request.Priority.ToString(System.Globalization.CultureInfo.InvariantCulture), "1 to 1000.");
        if (request.Timeout < TimeSpan.FromMilliseconds(50) || request.Timeout > TimeSpan.FromSeconds(8)) throw new SipArgumentException("Timeout", request.Timeout.ToString(), "50 ms to 8 s: the server itself waits 10 s, and one of its threads waits with it.");
        CheckFree(request.Name);
        YateRouteHandler handler = await YateRouteHandler.StartAsync(Endpoint, Configuration, Name, request, decide, released, leg => _mapper.CallOf(leg)?.CallId, Logger, Time, cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_routesGate)
            {
                CheckFree(request.Name);
                _routes.Add(handler);
            }
        }
        catch
        {
            await handler.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return handler.Shown;
    }

    /// <inheritdoc/>
    public override async Task<SipRoute> UnregisterRouteAsync(string name, CancellationToken cancellationToken)
    {
        YateRouteHandler handler;
        lock (_routesGate)
        {
            handler = _routes.Find(r => r.Shown.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
                ?? throw new SipArgumentException("Name", name, _routes.Count == 0 ? $"{Name} has no routes of ours." : $"a route of {Name}: {string.Join(", ", _routes.Select(r => r.Shown.Name))}.");
            _routes.Remove(handler);
        }

        await handler.DisposeAsync().ConfigureAwait(false);
        return handler.Shown;
    }

    private void CheckFree(string name)
    {
        lock (_routesGate)
        {
            if (_routes.Exists(r => r.Shown.Name.Equals(name, StringComparison.OrdinalIgnoreCase))) throw new SipArgumentException("Name", name, $"a name that no route of {Name} has yet; Unregister-SipRoute ends that one.");
        }
    }

    // Not waited for: a callback that hangs must not keep us from leaving.
    private void EndRoutes()
    {
        lock (_routesGate)
        {
            foreach (YateRouteHandler handler in _routes) _ = handler.DisposeAsync().AsTask();
            _routes.Clear();
        }
    }
}
