using IfBus.Sip.Tests.Contract;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Live.Tests;

/// <summary>Forged messages on a real Asterisk.</summary>
public sealed class AsteriskForgedEvents : ForgedEventsContract
{
    protected override ContractServer Server => LiveServer.Contract;
}

/// <summary>A login with few rights on a real Asterisk.</summary>
public sealed class AsteriskFewRights : FewRightsContract
{
    protected override ContractServer Server => LiveServer.Contract;
}

/// <summary>Destinations on a real Asterisk.</summary>
public sealed class AsteriskDestinations : DestinationContract
{
    protected override ContractServer Server => LiveServer.Contract;
}
