using System.Globalization;

namespace IfBus.Sip.Simulators;

/// <summary>What a number stands for.</summary>
internal enum PhoneKind
{
    Answers,
    Rings,
    Fails,
    Dead,
    Unreachable,
    Unknown,
    Application,
    Ends,
}

/// <summary>What the phone or extension of a number does: see the tables at <see cref="AsteriskSimulator"/>, <see cref="FreeSwitchSimulator"/> and <see cref="YateSimulator"/>.</summary>
/// <param name="Kind">The kind of thing.</param>
/// <param name="Cause">Q.850 cause of a failure.</param>
/// <param name="SipStatus">SIP status of a failure.</param>
/// <param name="DialStatus">What Dial says of it.</param>
/// <param name="RingsFor">Time to the answer; null for the usual one.</param>
/// <param name="TalksFor">Time to a hang-up of its own; null for never.</param>
/// <param name="Application">The dialplan application of an extension, and its arguments.</param>
/// <param name="EarlyMedia">It sends sound before it answers.</param>
/// <param name="RefusesReinvites">It answers 488 to offers during the call.</param>
internal sealed record PhoneBehaviour(
    PhoneKind Kind, int Cause = 16, int SipStatus = 0, string DialStatus = "ANSWER", TimeSpan? RingsFor = null, TimeSpan? TalksFor = null, (string Name, string Data)? Application = null, bool EarlyMedia = false, bool RefusesReinvites = false)
{
    /// <summary>The name without the prefixes that do not count.</summary>
    public static string Bare(string number)
    {
        if (number.StartsWith("dial-", StringComparison.OrdinalIgnoreCase)) number = number[5..];
        else if (number.StartsWith("basic-", StringComparison.OrdinalIgnoreCase)) number = number[6..];
        return number.StartsWith("sipp-", StringComparison.OrdinalIgnoreCase) ? number[5..] : number;
    }

    /// <summary>The endpoint that an extension of Asterisk's calls: the recorded dialplan has dial-NAME for sipp-NAME.</summary>
    public static string Endpoint(string exten) =>
        exten.StartsWith("dial-", StringComparison.OrdinalIgnoreCase) ? "sipp-" + exten[5..] : exten.StartsWith("basic-", StringComparison.OrdinalIgnoreCase) ? "sipp-" + exten[6..] : exten;

    /// <summary>Reads a number. Only an extension can be an application.</summary>
    public static PhoneBehaviour Of(string number, bool isExtension)
    {
        string name = Bare(number).ToLowerInvariant();
        bool Is(params string[] words) => words.Any(w => name.StartsWith(w, StringComparison.Ordinal));
        if (isExtension && Bare(number) == number && Applications.TryGetValue(name, out (string, string) application))
            return new(PhoneKind.Application, Application: application, TalksFor: name is "play" ? TimeSpan.FromSeconds(1) : null);
        if (isExtension && Is("say") && Number(name, 3) is { } says) return new(PhoneKind.Application, Application: ("Wait", name[3..]), TalksFor: TimeSpan.FromSeconds(says));
        if (Is("busy") || name.EndsWith("486", StringComparison.Ordinal)) return new(PhoneKind.Fails, 17, 486, "BUSY");
        if (Is("reject", "decline")) return new(PhoneKind.Fails, 21, 603, "NOANSWER");
        if (Is("notfound")) return new(PhoneKind.Fails, 1, 404, "NOANSWER");
        if (Is("congestion")) return new(isExtension ? PhoneKind.Ends : PhoneKind.Fails, 34, 503, "CONGESTION");
        if (Is("ring", "noanswer")) return new(PhoneKind.Rings, 19, 480, "NOANSWER");
        if (Is("dead")) return new(PhoneKind.Dead, 19, 480, "NOANSWER");
        if (Is("nosuch")) return new(PhoneKind.Unknown);
        if (Is("unreach", "nocontact")) return new(PhoneKind.Unreachable);
        if (Is("cause") && Number(name, 5) is { } cause) return new(isExtension ? PhoneKind.Ends : PhoneKind.Fails, cause, 0, cause == 17 ? "BUSY" : "CONGESTION");
        if (Is("earlybusy")) return new(PhoneKind.Fails, 17, 486, "BUSY", EarlyMedia: true);
        if (Is("early")) return new(PhoneKind.Answers, RingsFor: Number(name, 5) is { } sounds ? TimeSpan.FromSeconds(sounds) : null, EarlyMedia: true, TalksFor: Is("earlybye") ? TimeSpan.FromSeconds(Number(name, 8) ?? 1) : null);
        if (Is("bye")) return new(PhoneKind.Answers, TalksFor: TimeSpan.FromSeconds(Number(name, 3) ?? 1));
        return Is("answer") && Number(name, 6) is { } seconds ? new(PhoneKind.Answers, RingsFor: TimeSpan.FromSeconds(seconds)) : new(PhoneKind.Answers);
    }

    private static readonly Dictionary<string, (string, string)> Applications = new()
    {
        ["echo"] = ("Echo", ""),
        ["wait"] = ("Wait", "3600"),
        ["milliwatt"] = ("Milliwatt", ""),
        ["moh"] = ("MusicOnHold", "default"),
        ["play"] = ("Playback", "demo-congrats"),
    };

    private static int? Number(string name, int from) =>
        int.TryParse(name.AsSpan(Math.Min(from, name.Length)), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number <= 86400 ? number : null;
}
