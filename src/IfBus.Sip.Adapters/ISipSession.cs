namespace IfBus.Sip.Adapters;

/// <summary>A logged-in connection whose calls have been read: what <see cref="SipAdapterBase{TSession}"/> keeps alive.</summary>
internal interface ISipSession
{
    /// <summary>Completes with the reason when the connection is gone.</summary>
    Task<Exception> Closed { get; }

    /// <summary>What the server says it is.</summary>
    string Version { get; }

    /// <summary>When the server started, UTC, if it says.</summary>
    DateTime? StartedAt { get; }

    /// <summary>What it can do for this login.</summary>
    SipCapabilities Capabilities { get; }

    /// <summary>Says good-bye and closes.</summary>
    Task CloseAsync(CancellationToken cancellationToken);
}
