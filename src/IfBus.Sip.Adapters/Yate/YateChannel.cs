namespace IfBus.Sip.Adapters.Yate;

/// <summary>A channel as the engine lists it.</summary>
/// <param name="Id">driver/number.</param>
/// <param name="Status">The engine's word for its state.</param>
/// <param name="Caller">Calling number.</param>
/// <param name="Called">Called number.</param>
/// <param name="BillId">What the legs of a call share.</param>
/// <param name="Seconds">Age in whole seconds.</param>
/// <param name="Address">Address of the far end.</param>
/// <param name="Peer">The channel that it is connected with.</param>
internal sealed record YateChannel(string Id, string? Status, string? Caller, string? Called, string? BillId, int? Seconds, string? Address, string? Peer);
