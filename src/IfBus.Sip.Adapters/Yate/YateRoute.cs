namespace IfBus.Sip.Adapters.Yate;

/// <summary>What the engine's routing says of a number.</summary>
/// <param name="Target">driver/address; null if it has no way there.</param>
/// <param name="Parameters">What belongs to the way.</param>
/// <param name="Cause">Why there is none.</param>
/// <param name="Text">The same in words.</param>
internal sealed record YateRoute(string? Target, IReadOnlyList<KeyValuePair<string, string>> Parameters, HangupCause Cause, string? Text);
