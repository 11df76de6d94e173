namespace IfBus.Sip.Simulators.Yate;

/// <summary>
/// One end of a connection inside the engine. It lives as long as somebody holds it: its peer, a message about it, who
/// made it. That decides the order in which things are said, so the holds are counted as the engine counts them.
/// </summary>
internal class YateEndpoint(YateEngine engine, string id)
{
    private int _holds = 1;

    public YateEngine Engine { get; } = engine;

    public string Id { get; set; } = id;

    public YateEndpoint? Peer { get; private set; }

    /// <summary>It is gone.</summary>
    public bool Dead { get; private set; }

    /// <summary>Holds it.</summary>
    public void Ref() => _holds++;

    /// <summary>Lets it go; the last one ends it.</summary>
    public void Deref()
    {
        if (--_holds > 0 || Dead) return;
        Dead = true;
        // Nobody who holds it is left, so no peer either.
        Ended();
    }

    /// <summary>Joins two endpoints; each leaves its peer.</summary>
    public bool Connect(YateEndpoint peer, string? reason = null, bool notify = true)
    {
        if (peer == Peer) return true;
        if (peer == this || Dead || peer.Dead) return false;
        Ref();
        Disconnect(reason, notify);
        peer.Ref();
        peer.Disconnect(reason, notify);
        Peer = peer;
        peer.SetPeer(this, reason, notify, null);
        SetDisconnect(null);
        Connected(reason);
        return true;
    }

    /// <summary>Leaves the peer, which may yet find another.</summary>
    public void Disconnect(string? reason, bool notify = true, YateParams? parameters = null)
    {
        if (Peer is not { } peer) return;
        Peer = null;
        LostPeer();
        peer.SetPeer(null, reason, notify, parameters);
        peer.Deref();
        Deref();
    }

    /// <summary>Nobody holds it any more.</summary>
    protected virtual void Ended()
    {
    }

    /// <summary>It has a peer.</summary>
    protected virtual void Connected(string? reason)
    {
    }

    /// <summary>Its peer has left it.</summary>
    protected virtual void Disconnected(string? reason)
    {
    }

    /// <summary>What the peer gave when it left.</summary>
    protected virtual void SetDisconnect(YateParams? parameters)
    {
    }

    /// <summary>It has no peer now.</summary>
    protected virtual void LostPeer()
    {
    }

    private void SetPeer(YateEndpoint? peer, string? reason, bool notify, YateParams? parameters)
    {
        Peer = peer;
        if (peer is not null)
        {
            SetDisconnect(null);
            Connected(reason);
            return;
        }

        LostPeer();
        if (!notify) return;
        SetDisconnect(parameters);
        Disconnected(reason);
    }
}
