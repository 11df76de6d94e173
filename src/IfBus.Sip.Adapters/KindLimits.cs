namespace IfBus.Sip.Adapters;

/// <summary>What a kind of server never does, whatever its modules are and whoever logs in: the reason, and what to use instead.</summary>
internal static class KindLimits
{
    private const SipCapabilities OfAccounts = SipCapabilities.OwnAccount | SipCapabilities.Accounts | SipCapabilities.AccountCalls | SipCapabilities.PushNotification | SipCapabilities.Spaces | SipCapabilities.CallForwarding;

    /// <summary>The error for it; null if this kind of server can do it, or has more exact reasons.</summary>
    public static SipNotSupportedException? Refuse(string name, SipServerType type, SipCapabilities needed)
    {
        (string why, string action)? limit = type switch
        {
            not SipServerType.Flexisip when (needed & OfAccounts) != 0 =>
                ($"accounts, devices, spaces, messages and pushes are those of a Flexisip, and this is {A(type)}", "Connect to the account manager of a Flexisip (Connect-SipServer -Type Flexisip), and name it with -Server."),
            SipServerType.Kamailio or SipServerType.OpenSips when needed == SipCapabilities.Routing =>
                ($"where its calls go is decided by the script in its configuration, not by who is connected to it ({A(type)})", "Write the route into the server's script; a script block decides on a Yate only."),
            SipServerType.Flexisip when needed == SipCapabilities.Routing =>
                ("FlexiAPI is not asked where calls go", "Set-SipCallForwarding forwards the calls of an account (version 2.1); a script block decides on a Yate only."),
            SipServerType.Asterisk or SipServerType.FreeSwitch or SipServerType.Yate when needed == SipCapabilities.RegistrationControl =>
                ($"phones register there by themselves, and {A(type)} has no command that registers one", type switch
                {
                    SipServerType.Asterisk => "Write the contact of the aor into pjsip.conf; Get-SipRegistration lists those that there are.",
                    SipServerType.FreeSwitch => "Call a phone at its address (sofia/internal/user@host); Invoke-SipCommand sofia takes flush_inbound_reg.",
                    _ => "Call a phone at its address (sip/sip:user@host).",
                }),
            SipServerType.Asterisk or SipServerType.FreeSwitch or SipServerType.Yate when needed == SipCapabilities.GatewayControl =>
                ($"trunks are put in and out of use by the proxies Kamailio and OpenSIPS, and this is {A(type)}", type switch
                {
                    SipServerType.Asterisk => "Change the endpoint in pjsip.conf, or the extension that dials it.",
                    SipServerType.FreeSwitch => "Invoke-SipCommand sofia ends and reads gateways (profile <name> killgw <gateway>, rescan).",
                    _ => "Invoke-SipCommand user.account operation=logout account=<name>.",
                }),
            SipServerType.Flexisip when needed is SipCapabilities.RegistrationControl or SipCapabilities.GatewayControl =>
                ("FlexiAPI knows accounts and their devices only", "Remove-SipDevice removes the registration of a device."),
            _ => null,
        };
        return limit is { } it ? new SipNotSupportedException($"{name} cannot do this ({needed}): {it.why}. Nothing was sent.", needed) { RecommendedAction = it.action } : null;
    }

    private static string A(SipServerType type) => type switch
    {
        SipServerType.Asterisk => "an Asterisk",
        SipServerType.FreeSwitch => "a FreeSWITCH",
        SipServerType.OpenSips => "an OpenSIPS",
        _ => "a " + type,
    };
}
