using Statehouse.Faults.History;

namespace Statehouse.Faults.Checker.Search;

/// <summary>
/// Searches a linearization of each agent's calls, from what clients saw; the journal only says in which order to try, and what
/// became of unknown outcomes. So it checks the other rules from another side, and where an agent has no linearization it finds the
/// smallest contradiction: in one key where there is one, else in the agent. Where the other rules have found the run broken already,
/// it only looks for such contradictions, within a small bound, and leaves off after a few.
/// </summary>
internal sealed class SearchRules(SearchHistory history, CheckOptions options, Findings findings)
{
    /// <summary>The counter of what was searched, beside what <see cref="OrderRules"/> counts under <see cref="Rule.Linearizable"/>.</summary>
    public const string Counter = Rule.Linearizable + " by search";

    private const int ContradictionsMax = 3;

    /// <summary>Enough to find a contradiction between some tens of calls, little enough to be tried hundreds of times.</summary>
    private const long ShrinkingStepsMax = 1_000;

    /// <summary>Beside one step per call, for a look at what is known to be broken.</summary>
    private const long BrokenStepsMax = 20_000;

    private readonly bool _isBrokenBefore = findings.IsBroken;
    private int _contradictions;

    public void Check()
    {
        foreach (AgentName agent in history.Agents.TakeWhile(_ => _contradictions < ContradictionsMax))
            Check(agent);
    }

    private void Check(AgentName agent)
    {
        IReadOnlyList<TimedCall<AgentCall>> calls = history.Agent(agent);
        findings.Count(Counter, calls.Count);
        var model = new AgentModel();
        SearchResult result = LinearizationSearch<AgentState, AgentCall>.Run(model, calls, model.Initial, StepsMax(calls.Count));
        // An agent's linearization is one of each of its keys, so these need no search of their own.
        if (result.Answer == SearchAnswer.Linearizable || AnyKeyBroken(agent))
            return;
        if (result.Answer == SearchAnswer.Undecided && _isBrokenBefore)
            return;
        if (result.Answer == SearchAnswer.Undecided)
            findings.Undecided($"{agent}: no linearization of {calls.Count} calls was found in {result.Steps} steps, and none ruled out.");
        else
            Report(agent.ToString(), calls, Shrinker.Shrink(model, calls, result.BlockedAt, ShrinkingStepsMax));
    }

    private long StepsMax(int calls) => _isBrokenBefore ? calls + BrokenStepsMax : options.SearchStepsMax;

    private bool AnyKeyBroken(AgentName agent)
    {
        bool isBroken = false;
        var model = new KeyModel();
        foreach ((string key, IReadOnlyList<TimedCall<KeyCall>> calls) in history.Keys(agent))
        {
            SearchResult result = LinearizationSearch<KeyState, KeyCall>.Run(model, calls, model.Initial, StepsMax(calls.Count));
            if (result.Answer != SearchAnswer.NotLinearizable)
                continue;
            isBroken = true;
            Report($"{key} of {agent}", calls, Shrinker.Shrink(model, calls, result.BlockedAt, ShrinkingStepsMax));
        }
        return isBroken;
    }

    private void Report<TCall>(string what, IReadOnlyList<TimedCall<TCall>> all, IReadOnlyList<TimedCall<TCall>> kept)
    {
        _contradictions++;
        findings.Broken(
            Rule.Linearizable,
            $"{what}: no order of its {all.Count} calls explains all answers; {kept.Count} of them, told here, contradict each other whatever became of the others.",
            kept.SelectMany(call => history.Sources[call.Source]));
    }
}
