namespace IfBus.Sip.Adapters.Asterisk;

/// <summary>
/// Extensions of ours in the server's dialplan: AMI has no action for music on hold, for a conference room, or for
/// answering, but it can send a channel to an extension that does it. They are added at run time, where the login may
/// (class system), or stand in extensions.conf; a reload of the dialplan keeps them (Asterisk 22.10).
/// </summary>
internal static class AsteriskDialplan
{
    /// <summary>The context that they are in.</summary>
    public const string Context = "ifbus-sip";

    /// <summary>Music on hold.</summary>
    public const string Hold = "hold";

    /// <summary>Answers, and waits.</summary>
    public const string Answer = "answer";

    /// <summary>What a person puts into extensions.conf where the login may not.</summary>
    public const string Text =
        "[ifbus-sip]\n"
        + "exten => hold,1,MusicOnHold()\n"
        + "exten => answer,1,Answer()\n"
        + " same => n,Wait(86400)\n"
        + "exten => _r.,1,ConfBridge(${EXTEN:1})\n";

    private static readonly (string Exten, int Priority, string Application, string Data)[] Steps =
    [
        (Hold, 1, "MusicOnHold", ""),
        (Answer, 1, "Answer", ""),
        (Answer, 2, "Wait", "86400"),
        ("_r.", 1, "ConfBridge", "${EXTEN:1}"),
    ];

    /// <summary>The extension that leads into a room.</summary>
    public static string Room(string name) => "r" + name;

    /// <summary>Asks for what is the case; the answer is 1 or 0.</summary>
    public static AmiAction Exists(string context, string exten, int priority = 1) =>
        new AmiAction("Getvar").Add("Variable", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"DIALPLAN_EXISTS({context},{exten},{priority})"), "To");

    /// <summary>True if the server said that it is the case.</summary>
    public static bool IsYes(AmiReply reply) => reply.IsSuccess && reply.Response.Find("Value"u8).SequenceEqual("1"u8);

    /// <summary>Sees to it that the extensions are there.</summary>
    /// <exception cref="SipNotSupportedException">They are not, and this login may not add them.</exception>
    public static async Task EnsureAsync(AsteriskSession session, string name, SipCapabilities needed, CancellationToken cancellationToken)
    {
        if (session.HasDialplan) return;
        bool there = true;
        foreach ((string exten, int priority, _, _) in Steps)
        {
            there &= IsYes(await session.Ami.RequestAsync(Exists(Context, exten == "_r." ? "r1" : exten, priority), cancellationToken).ConfigureAwait(false));
        }

        if (!there)
        {
            if (!session.Commands.Contains("DialplanExtensionAdd")) throw Missing(name, needed, "this login may not add it (its write= in manager.conf lacks class system)");
            foreach ((string exten, int priority, string application, string data) in Steps)
            {
                AmiReply reply = await session.Ami.RequestAsync(
                    new AmiAction("DialplanExtensionAdd").Add("Context", Context).Add("Extension", exten).Add("Priority", priority.ToString(System.Globalization.CultureInfo.InvariantCulture))
                        .Add("Application", application).Add("ApplicationData", data).Add("Replace", "yes"),
                    cancellationToken).ConfigureAwait(false);
                if (!reply.IsSuccess) throw Missing(name, needed, $"the server refused to add it: {SipText.Printable(reply.Message)}");
            }
        }

        session.HasDialplan = true;
    }

    private static SipNotSupportedException Missing(string name, SipCapabilities needed, string why) =>
        new($"{name} has no context '{Context}' in its dialplan, and {why}. Nothing was changed.", needed, "SipDialplanMissing")
        {
            RecommendedAction = "Put this into extensions.conf and reload the dialplan:\n" + Text,
        };
}
