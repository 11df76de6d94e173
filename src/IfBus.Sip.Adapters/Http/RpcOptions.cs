namespace IfBus.Sip.Adapters.Http;

/// <summary>How one call of a remote procedure is to be made.</summary>
/// <param name="IsRead">It changes nothing: sent once more when a connection turns out to be closed.</param>
/// <param name="Timeout">Time for it; null for the usual time.</param>
/// <param name="List">Where in the result the list stands that is wanted item by item: names of members, one in the other; empty if the result is the list.</param>
internal sealed record RpcOptions(bool IsRead, TimeSpan? Timeout = null, IReadOnlyList<string>? List = null)
{
    /// <summary>A question.</summary>
    public static RpcOptions Read { get; } = new(true);

    /// <summary>A command.</summary>
    public static RpcOptions Change { get; } = new(false);
}
