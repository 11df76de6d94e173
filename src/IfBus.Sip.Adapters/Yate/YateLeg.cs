using System.Text;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>One channel of the engine that is a leg of a call.</summary>
internal sealed class YateLeg(YateCall call, string id)
{
    /// <summary>The call it belongs to, for good.</summary>
    public YateCall Call { get; } = call;

    /// <summary>driver/number.</summary>
    public string Id { get; } = id;

    /// <summary>The same as it stands on the wire.</summary>
    public byte[] IdBytes { get; } = Encoding.UTF8.GetBytes(id);

    /// <summary>Address of the far end.</summary>
    public string? Address { get; set; }

    /// <summary>The engine's word for its state.</summary>
    public string? Status { get; set; }

    /// <summary>The number at the far end: of the caller for a leg that came in, else the one called.</summary>
    public string? Number { get; set; }

    /// <summary>It calls the engine; else the engine calls it. Our silent leg counts as calling.</summary>
    public bool IsInbound { get; set; }

    /// <summary>It is gone.</summary>
    public bool Ended { get; set; }

    /// <summary>It has been answered.</summary>
    public bool Up { get; set; }

    /// <summary>The leg that it is connected with; null if that is none of a call.</summary>
    public YateLeg? Peer { get; set; }

    /// <summary>What it is connected with instead of a leg: a tone, music, a file, a room.</summary>
    public string? Media { get; set; }

    /// <summary>Its phone holds it, by its own re-INVITE.</summary>
    public bool Holds { get; set; }

    /// <summary>We hold it, by a re-INVITE to its phone: the engine has no sound of it.</summary>
    public bool Reinvited { get; set; }

    /// <summary>What became of the last re-INVITE that was sent to its phone; null until it is told.</summary>
    public YateReinvite? Reinvite { get; set; }

    /// <summary>The formats of its sound, as its phone agreed to them.</summary>
    public string? Formats { get; set; }

    /// <summary>It was called for a consultation that goes on.</summary>
    public bool IsConsulted { get; set; }

    /// <summary>The conference room that we took it to.</summary>
    public string? Room { get; set; }

    /// <summary>reason of chan.hangup or chan.disconnected.</summary>
    public string? Reason { get; set; }

    /// <summary>cause_sip of chan.hangup.</summary>
    public int? SipStatus { get; set; }

    /// <summary>The Q.850 cause that the far end told.</summary>
    public int? Q850 { get; set; }

    /// <summary>SIP Call-ID.</summary>
    public string? SipCallId { get; set; }

    /// <summary>Its far end ended it.</summary>
    public bool HungUpByFarEnd { get; set; }

    /// <summary>True for our silent leg and everybody's: it has no far end.</summary>
    public bool IsDumb => Id.StartsWith("dumb/", StringComparison.Ordinal);
}

/// <summary>What became of a re-INVITE.</summary>
/// <param name="Agreed">The phone took it.</param>
/// <param name="Forwards">With its answer the sound goes past the engine.</param>
/// <param name="Reason">Its words.</param>
internal sealed record YateReinvite(bool Agreed, bool Forwards, string? Reason);
