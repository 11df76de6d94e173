using System.Collections;
using System.Management.Automation;
using IfBus.Sip.Hosting;

namespace IfBus.Sip.Binding;

/// <summary>What -Server takes: the name of a connection, or a server object.</summary>
public sealed class SipServerReference
{
    /// <summary>By name.</summary>
    public SipServerReference(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        Name = name;
    }

    internal SipServerReference(SipServer server)
    {
        Name = server.Name;
        Adapter = ServerStore.AdapterOf(server);
    }

    /// <summary>Name of the connection.</summary>
    public string Name { get; }

    /// <summary>The connection that the object came from; null for a bare name, and for an object from another process.</summary>
    internal ISipAdapter? Adapter { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Turns names, server objects and calls, also those that came from a job or another machine, into one reference.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class SipServerTransformationAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        switch (value)
        {
            case null:
                return null!;
            case SipServerReference reference:
                return reference;
            case string text when !string.IsNullOrWhiteSpace(text):
                return new SipServerReference(text.Trim());
            case string:
                return null!; // an empty column of a table of calls
            case SipServer server:
                return new SipServerReference(server);
            case SipCall call:
                return new SipServerReference(call.Server);
            case IList { Count: 1 } list when list[0] is { } single:
                return Transform(engineIntrinsics, single);
            case PSCustomObject or not null when inputData is PSObject data && NameOf(data) is { } name:
                return new SipServerReference(name);
            default:
                throw new ArgumentTransformationMetadataException("-Server takes the name of one connection, or one server object of Connect-SipServer or Get-SipServer.");
        }
    }

    // What was serialised keeps its properties and, with a prefix, its type's name.
    private static string? NameOf(PSObject data)
    {
        string? property = null;
        foreach (string type in data.TypeNames)
        {
            if (type.EndsWith("IfBus.Sip.SipServer", StringComparison.Ordinal)) property = "Name";
            else if (type.StartsWith("Deserialized.IfBus.Sip.", StringComparison.Ordinal)) property ??= "Server";
        }

        return property is null || data.Properties[property]?.Value?.ToString() is not { Length: > 0 } name ? null : name;
    }
}
