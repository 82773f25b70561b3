using Xunit.v3;

namespace Broker.Tests;

/// <summary>Names the clause of the standard that a test proves; `Tests/run.sh --clauses-missing` lists clauses with no test.</summary>
/// <param name="id">`MQTT-4.7.1-2`: MQTT 5.0; `3.1.1 MQTT-4.7.1-3`: the older text.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class ClauseAttribute(string id) : Attribute, ITraitAttribute
{
    public string Id => id;

    /// <summary>So that `-trait Clause=…` runs the tests of a clause.</summary>
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Clause", id)];
}
