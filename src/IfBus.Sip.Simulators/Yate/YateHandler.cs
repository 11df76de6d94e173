namespace IfBus.Sip.Simulators.Yate;

/// <summary>Who wants to see a message while it is dispatched.</summary>
internal sealed class YateHandler(string name, int priority, long order, string? trace, Func<YateMessage, ValueTask<bool>> received) : IComparable<YateHandler>
{
    /// <summary>Name of the messages.</summary>
    public string Name { get; } = name;

    /// <summary>Lower ones run first.</summary>
    public int Priority { get; } = priority;

    /// <summary>Decides among equal priorities.</summary>
    public long Order { get; } = order;

    /// <summary>What is written in the parameter handlers; null for nothing.</summary>
    public string? Trace { get; } = trace;

    /// <summary>Only messages with this value of this parameter; empty stands for a missing one too.</summary>
    public (string Name, string Value)? Filter { get; init; }

    public bool Removed { get; set; }

    public Func<YateMessage, ValueTask<bool>> Received { get; } = received;

    public bool Matches(YateMessage message) => Filter is not { } filter || (message[filter.Name] ?? "") == filter.Value;

    public int CompareTo(YateHandler? other) => other is null ? 1 : Priority != other.Priority ? Priority.CompareTo(other.Priority) : Order.CompareTo(other.Order);
}
