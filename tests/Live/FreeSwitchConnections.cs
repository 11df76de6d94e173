using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>Logins, rights, and what is no Event Socket, with a real FreeSWITCH.</summary>
public sealed class FreeSwitchConnections : FreeSwitchConnectionContract
{
    protected override ContractServer Server => LiveFreeSwitch.Contract;
}
