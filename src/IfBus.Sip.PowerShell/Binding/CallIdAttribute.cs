using System.Collections;
using System.Management.Automation;

namespace IfBus.Sip.PowerShell.Binding;

/// <summary>Takes ids of calls as texts, or out of calls and table rows: PowerShell would else take a row's whole text for the id.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field)]
public sealed class CallIdAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object Transform(EngineIntrinsics engineIntrinsics, object inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        return value is IList list ? list.Cast<object>().Select(Id).ToArray() : Id(inputData);
    }

    private static object Id(object input)
    {
        object? value = input is PSObject wrapped ? wrapped.BaseObject : input;
        switch (value)
        {
            case null or string or ValueType: return value!;
            case SipCall call: return call.CallId;
        }

        if (PSObject.AsPSObject(input).Properties["CallId"]?.Value?.ToString() is { Length: > 0 } id) return id;
        const string Rule = "a call is named by its id, its if:// address, or an object that has a CallId.";
        // By this cause the binder knows that the object may be for another parameter.
        throw new ArgumentTransformationMetadataException(Rule, new PSInvalidCastException(Rule));
    }
}
