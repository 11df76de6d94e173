namespace IfBus.Sip.Adapters.Yate;

/// <summary>A transfer of ours.</summary>
internal sealed class YateTransfer(YateLeg kept, YateLeg released, string to, string target, bool attended)
{
    /// <summary>Who stays.</summary>
    public YateLeg Kept { get; } = kept;

    /// <summary>Who goes.</summary>
    public YateLeg Released { get; } = released;

    /// <summary>Where to.</summary>
    public string To { get; } = to;

    /// <summary>The same as driver/address.</summary>
    public string Address { get; } = target;

    /// <summary>The destination is no leg: a tone, music, a room. It answers at once.</summary>
    public bool ToMedia { get; } = YateNumbers.IsMedia(target);

    /// <summary>With a consultation first.</summary>
    public bool Attended { get; } = attended;

    /// <summary>Who talks with the destination first: the one that is moved to it.</summary>
    public YateLeg Mover => Attended ? Released : Kept;

    /// <summary>The leg that is called.</summary>
    public YateLeg? Target { get; set; }

    /// <summary>The destination has answered.</summary>
    public bool Answered { get; set; }

    /// <summary>Why it came to nothing.</summary>
    public string? Failure { get; set; }

    /// <summary>It is being completed or given up: legs that go now go for that.</summary>
    public bool Closing { get; set; }

    /// <summary>Keeps the legs that lose their partner from being hung up.</summary>
    public YateGuard? Guard { get; set; }
}
