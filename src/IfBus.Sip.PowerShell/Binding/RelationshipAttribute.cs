using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Binding;

/// <summary>Takes an empty column of a table of calls for no relationship.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class RelationshipAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return value is null || (value is string text && string.IsNullOrWhiteSpace(text)) ? SipRelationship.None : inputData;
    }
}
