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

/// <summary>A step of the server's dialplan, as ShowDialPlan lists it.</summary>
internal readonly record struct DialplanStep(string Context, string Extension, int Priority, string Application);

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

    // They speak, listen or collect, and end by themselves: destinations where nothing else follows, and a preparation where
    // the extension goes on to dial.
    private static readonly HashSet<string> Speakers = new(StringComparer.OrdinalIgnoreCase)
    {
        "Playback", "ControlPlayback", "Background", "BackgroundDetect", "SpeechBackground", "Read", "ReadExten", "WaitExten", "Authenticate", "VMAuthenticate",
        "PrivacyManager", "AMD", "SendDTMF", "Wait", "WaitForSilence", "WaitForNoise", "WaitForRing", "WaitMusicOnHold", "Playtones", "Festival", "Flite", "AGI", "EAGI",
    };

    /// <summary>True of an application that may stand before a dialler in an extension.</summary>
    public static bool Speaks(string application) => Speakers.Contains(application) || application.StartsWith("Say", StringComparison.OrdinalIgnoreCase);

    /// <summary>True if an extension goes on to dial somebody.</summary>
    /// <param name="steps">The steps of all extensions that match a number, by the server's dialplan.</param>
    /// <param name="priority">Where the channel is.</param>
    /// <param name="application">What it is in, which tells the extension that it is in from others that match.</param>
    public static bool DialsLater(IReadOnlyList<DialplanStep> steps, int priority, string application) =>
        steps.Any(s => s.Priority > priority && Diallers.Contains(s.Application)
            && steps.Any(h => h.Priority == priority && (h.Context, h.Extension) == (s.Context, s.Extension) && h.Application.Equals(application, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Judges by the application that the first leg is in.</summary>
    /// <param name="application">Its name; empty before the dialplan begins.</param>
    /// <param name="data">Its arguments.</param>
    public static DestinationProgress Judge(string application, string? data)
    {
        if (application.Length == 0 || Preparers.Contains(application)) return DestinationProgress.Preparing;
        if (Diallers.Contains(application)) return DestinationProgress.Dialling;
        // A pause of some seconds stands before a Dial in many dialplans; a long one is a far end of its own.
        bool isPause = application.Equals("Wait", StringComparison.OrdinalIgnoreCase)
            && double.TryParse(data, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds <= 10;
        return isPause ? DestinationProgress.Preparing : DestinationProgress.Reached;
    }
}
