namespace IfBus.Sip;

/// <summary>
/// Where a server lets somebody else say where its calls go. Needs <see cref="SipCapabilities.Routing"/>; may throw
/// <see cref="SipNotSupportedException"/>.
/// </summary>
public interface ISipServerRouting
{
    /// <summary>
    /// Has the server ask where calls go. A question is answered within the request's time whatever the callback does:
    /// if it is late, fails, or has too many questions before it, the server's own routing decides. The route outlives
    /// losses of the connection and ends with it for good.
    /// </summary>
    /// <param name="request">For which numbers, and how long a question may take.</param>
    /// <param name="decide">Decides; null leaves the call to the server's own routing. Called on threads of the pool, several at a time.</param>
    /// <param name="released">Called once when the route has ended.</param>
    /// <param name="cancellationToken">Gives up before the route stands.</param>
    /// <exception cref="SipArgumentException">A value is refused, or the name is taken; nothing was sent.</exception>
    Task<SipRoute> RegisterRouteAsync(SipRouteRequest request, Func<SipRouteQuestion, CancellationToken, Task<SipRouteAnswer?>> decide, Action? released, CancellationToken cancellationToken);

    /// <summary>Ends a route: the server does not ask any more. Returns it as it stood.</summary>
    /// <exception cref="SipArgumentException">There is no route of that name.</exception>
    Task<SipRoute> UnregisterRouteAsync(string name, CancellationToken cancellationToken);

    /// <summary>The routes of this connection as they stand. Asks the server nothing.</summary>
    IReadOnlyList<SipRoute> Routes { get; }
}

/// <summary>A route to be registered.</summary>
public sealed record SipRouteRequest
{
    /// <summary>Its name, 1 to 64 characters; unique on its connection.</summary>
    public required string Name { get; init; }

    /// <summary>The called numbers that it is for; * and ? are wildcards. All if null.</summary>
    public string? Number { get; init; }

    /// <summary>Who is asked first: lower numbers are, from 1 to 1000. Yate's own regexroute has 100.</summary>
    public int Priority { get; init; } = 50;

    /// <summary>How long a question may take before the server's own routing decides; 50 ms to 8 s.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>A server asks where a call goes.</summary>
public sealed record SipRouteQuestion
{
    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>The called number, as the caller sent it: never trust it.</summary>
    public required string Called { get; init; }

    /// <summary>The calling number.</summary>
    public string? Caller { get; init; }

    /// <summary>The caller's name.</summary>
    public string? CallerName { get; init; }

    /// <summary>The call, if the server has begun one.</summary>
    public string? CallId { get; init; }

    /// <summary>The caller's leg.</summary>
    public string? LegId { get; init; }

    /// <summary>All that the server says of it.</summary>
    public SipFieldCollection Fields { get; init; } = SipFieldCollection.Empty;

    /// <inheritdoc/>
    public override string ToString() => $"{Caller} -> {Called}";
}

/// <summary>Where a call goes. Either a target or a cause to refuse it with.</summary>
public sealed record SipRouteAnswer
{
    /// <summary>Where to: a SIP URI or driver/address, for instance sip/sip:1001@10.0.0.1.</summary>
    public string? Target { get; init; }

    /// <summary>Refuse it: UserBusy, CallRejected, NoRouteToDestination, SwitchCongestion, ...</summary>
    public HangupCause? Refuse { get; init; }

    /// <summary>What the called party is shown instead of the caller: <c>1001</c> or <c>Ann &lt;1001&gt;</c>.</summary>
    public string? CallerId { get; init; }

    /// <summary>How long it may ring.</summary>
    public TimeSpan? RingTime { get; init; }

    /// <summary>More parameters for the server's way there, for instance autoring=yes.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];
}

/// <summary>A route as it stands, with its counters.</summary>
public sealed record SipRoute
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Name of the server's connection.</summary>
    public required string Server { get; init; }

    /// <summary>The called numbers that it is for; all if null.</summary>
    public string? Number { get; init; }

    /// <summary>Lower numbers are asked first.</summary>
    public int Priority { get; init; }

    /// <summary>How long a question may take.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>True while the server asks; false while its connection is lost.</summary>
    public bool Active { get; init; }

    /// <summary>Questions about these numbers.</summary>
    public long Asked { get; init; }

    /// <summary>Sent somewhere.</summary>
    public long Routed { get; init; }

    /// <summary>Refused.</summary>
    public long Refused { get; init; }

    /// <summary>Left to the server's own routing, since that was the answer.</summary>
    public long Passed { get; init; }

    /// <summary>Left to the server's own routing, since no answer came in time.</summary>
    public long Late { get; init; }

    /// <summary>Left to the server's own routing, since deciding failed, or gave what cannot be used.</summary>
    public long Failed { get; init; }

    /// <summary>Left to the server's own routing, since too many questions waited.</summary>
    public long Skipped { get; init; }

    /// <summary>What went wrong last.</summary>
    public string? LastError { get; init; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
