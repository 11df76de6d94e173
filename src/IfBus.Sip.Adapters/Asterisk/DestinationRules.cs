using System.Globalization;

namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>How far a call has got behind its first leg.</summary>
internal enum DestinationProgress
{
    /// <summary>The dialplan prepares: ask again.</summary>
    Preparing,

    /// <summary>It calls somebody: only that one's answer connects.</summary>
    Dialling,

    /// <summary>The destination is the dialplan itself, and it talks with the first leg.</summary>
    Reached,
}

/// <summary>
/// A dialplan extension that dials nobody (an announcement, a mailbox, an echo test) never says "answered": the server
/// tells only what application its channel is in. By that we decide whether the caller has reached its destination.
/// </summary>
internal static class DestinationRules
{
    private static readonly HashSet<string> Diallers = new(StringComparer.OrdinalIgnoreCase)
    {
        "Dial", "RetryDial", "Queue", "FollowMe", "Page", "DialByName", "Pickup", "PickupChan", "Bridge", "BridgeAdd",
    };

    private static readonly HashSet<string> Preparers = new(StringComparer.OrdinalIgnoreCase)
    {
        "AppDial", "AppDial2", "NoOp", "Set", "MSet", "SetGlobalVar", "Answer", "Ringing", "Progress", "Proceeding", "Goto", "GotoIf", "GotoIfTime",
        "Gosub", "GosubIf", "Return", "Macro", "ExecIf", "Exec", "TryExec", "While", "EndWhile", "UserEvent", "Log", "Verbose", "Incomplete",
        "Hangup", "Busy", "Congestion", "MixMonitor", "Monitor", "ChanIsAvail", "System", "TrySystem", "CELGenUserEvent", "SIPAddHeader", "Macroexit",
    };

    /// <summary>Judges by the application that the first leg is in.</summary>
    /// <param name="application">Its name; empty before the dialplan begins; null if the server may not be asked.</param>
    /// <param name="data">Its arguments.</param>
    public static DestinationProgress Judge(string? application, string? data)
    {
        if (application is null) return DestinationProgress.Reached;
        if (application.Length == 0 || Preparers.Contains(application)) return DestinationProgress.Preparing;
        if (Diallers.Contains(application)) return DestinationProgress.Dialling;
        // A pause of some seconds stands before a Dial in many dialplans; a long one is a far end of its own.
        bool isPause = application.Equals("Wait", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(data, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds <= 10;
        return isPause ? DestinationProgress.Preparing : DestinationProgress.Reached;
    }
}
