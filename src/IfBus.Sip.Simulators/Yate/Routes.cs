namespace IfBus.Sip.Simulators.Yate;

/// <summary>
/// What regexroute says: the recorded server's numbers, then the numbers that the other simulators know too. See the
/// table at <see cref="YateSimulator"/>.
/// </summary>
internal static class Routes
{
    /// <summary>Port of the phones whose behaviour their number tells.</summary>
    public const int AnyPhone = 5790;

    public static bool Route(YateMessage message)
    {
        string called = message["called"] ?? "";
        if (Find(called) is not { } route) return false;
        message.Return = route.Target;
        foreach ((string name, string value) in route.Parameters) message.Set(name, value);
        return true;
    }

    /// <summary>What the phone at a port and with a name does.</summary>
    public static PhoneBehaviour Phone(int port, string user, TimeSpan talks)
    {
        PhoneBehaviour named = PhoneBehaviour.Of(YateText.ToText(user), isExtension: false);
        return port switch
        {
            5791 => new(PhoneKind.Rings, 19, 480),
            5792 => new(PhoneKind.Fails, 17, 486),
            5793 => new(PhoneKind.Answers, EarlyMedia: true, TalksFor: talks),
            5796 => new(PhoneKind.Fails, 21, 603),
            5797 => new(PhoneKind.Fails, 1, 404),
            5798 => new(PhoneKind.Fails, 19, 480),
            5799 => new(PhoneKind.Dead),
            5800 => new(PhoneKind.Answers, EarlyMedia: true),
            5801 => new(PhoneKind.Fails, 34, 503),
            5802 => new(PhoneKind.Answers, RefusesReinvites: true),
            _ => named.Kind switch
            {
                PhoneKind.Unreachable => new(PhoneKind.Fails, 20, 480),
                PhoneKind.Unknown => new(PhoneKind.Fails, 1, 404),
                _ => named,
            },
        };
    }

    private static (string Target, (string, string)[] Parameters)? Find(string called)
    {
        switch (called)
        {
            case "1001":
                return ("tone/dial", []);
            case "1002":
                return ("tone/milliwatt", []);
            case "1003":
                return ("dumb/ring", [("autoring", "yes")]);
            case "1004":
                return ("-", [("error", "busy")]);
            case "1005":
                return ("moh/default", []);
            case "3001":
                return ("wave/record/rec/route-3001.wav", []);
            case "3002":
                return ("wave/play/rec/play.wav", []);
            case ['2', '0', _, _]:
                return ("conf/room" + called, []);
            case ['4', >= '0' and <= '9', ..]:
                int[] ports = [5790, 5791, 5792, 5793, 5796, 5797, 5798, 5801, 5800, 5802];
                return ($"sip/sip:{called}@127.0.0.1:{ports[called[1] - '0']}", []);
            case "" or ['5', ..]:
                return null;
        }

        PhoneBehaviour there = PhoneBehaviour.Of(YateText.ToText(called), isExtension: true);
        return there.Kind switch
        {
            PhoneKind.Unknown => null,
            PhoneKind.Application => there.Application!.Value.Name switch
            {
                "Milliwatt" => ("tone/milliwatt", []),
                "MusicOnHold" => ("moh/default", []),
                "Playback" => ("wave/play/rec/play.wav", []),
                _ => ("tone/silence", []),
            },
            PhoneKind.Ends => ("-", [("error", Reasons.OfCause(there.Cause))]),
            _ => ($"sip/sip:{called}@127.0.0.1:{AnyPhone}", []),
        };
    }
}
